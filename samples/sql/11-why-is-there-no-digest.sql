-- Why do events have no digest though one was asked for? Behind each of them a content may hide.
SELECT host, hook, digest_reason, count(*) AS events, min(time) AS first_time, max(time) AS last_time
FROM events
WHERE digest_status = 'unavailable'
GROUP BY host, hook, digest_reason
ORDER BY events DESC, host, hook, digest_reason

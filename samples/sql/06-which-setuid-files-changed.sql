-- Which files changed that had set-user-ID or set-group-ID (octal 6000), before or after?
SELECT DISTINCT c.host, c.path, c.kind, c.from_digest, c.to_digest, c.changed_after, c.changed_before
FROM changes AS c
JOIN files AS f ON f.path = c.path AND f.digest IN (c.from_digest, c.to_digest)
JOIN recordings AS r ON r.recording_id = f.recording_id AND r.host = c.host
WHERE f.mode & 3072 <> 0
ORDER BY c.changed_before, c.host, c.path

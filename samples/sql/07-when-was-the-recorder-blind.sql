-- From when to when did each recording last, and when was it blind, or lost or suppressed something?
SELECT r.host, l.recording_id, l.kind, l.cause, l.from_ns, l.to_ns, l.count
FROM ledger AS l
JOIN recordings AS r ON r.recording_id = l.recording_id
WHERE l.kind IN ('loss', 'blind', 'gap', 'corrupt', 'tamper', 'suppressed')
UNION ALL
SELECT host, recording_id, 'recorded' AS kind, NULL AS cause, start_ns AS from_ns, end_ns AS to_ns, NULL AS count
FROM recordings
ORDER BY 1, 2, 5, 6, 3, 4

-- Which contents were first seen since then? What was seen before on another path or host is not new.
SELECT digest_algorithm, digest, min(first_time) AS first_seen, min(path) AS a_path, count(DISTINCT r.host) AS hosts
FROM files AS f
JOIN recordings AS r ON r.recording_id = f.recording_id
GROUP BY digest_algorithm, digest
HAVING min(first_time) >= TIMESTAMP '2026-11-24 16:20:52'
ORDER BY first_seen, digest

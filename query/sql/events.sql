SELECT {columns}
FROM raw_events AS e
LEFT JOIN manifests AS m ON m.recording_id = e.recording_id
LEFT JOIN (
    SELECT * FROM (
        SELECT *, row_number() OVER (PARTITION BY recording_id, ref_cpu, ref_seq ORDER BY boot_ns DESC, seq DESC) AS answer
        FROM raw_events
        WHERE hook = 'user_digest' AND digest IS NOT NULL AND ref_cpu IS NOT NULL AND ref_seq IS NOT NULL
    ) AS answers
    WHERE answer = 1
) AS u ON u.recording_id = e.recording_id AND u.ref_cpu = e.cpu AND u.ref_seq = e.seq
LEFT JOIN (
    SELECT recording_id, cpu, seq FROM raw_events
) AS asked ON e.hook = 'user_digest' AND asked.recording_id = e.recording_id AND asked.cpu = e.ref_cpu AND asked.seq = e.ref_seq
WHERE e.hook <> 'user_digest' OR e.digest IS NULL OR asked.seq IS NULL

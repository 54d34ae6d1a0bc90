-- Who ran this content? An exec counts as run where it also has a row of bprm_committed_creds; else it was an attempt.
SELECT e.time, e.host, e.path, e.pid, e.uid, e.parent_comm, array_contains(e.path_flags, 'deleted') AS is_deleted,
    CASE WHEN c.exec_id IS NULL THEN 'attempt' ELSE 'run' END AS outcome
FROM events AS e
LEFT JOIN (SELECT DISTINCT recording_id, exec_id FROM events WHERE hook = 'bprm_committed_creds') AS c
    ON c.recording_id = e.recording_id AND c.exec_id = e.exec_id
WHERE e.digest = '4365e2cc78ac8a7538ad490f2ef3c8cb8f69721ba602d3cbbcd6fb41d62c2b04' AND e.hook = 'bprm_check_security'
ORDER BY e.time, e.cpu, e.seq

-- What did the process with this pid and all below it run? A process is its pid and its start; a pid alone is used again.
WITH RECURSIVE processes AS (
    SELECT DISTINCT boot_id, pid, process_start_ns, ppid, parent_start_ns FROM events
), tree AS (
    SELECT boot_id, pid, process_start_ns, 0 AS depth FROM processes WHERE pid = 156
    UNION ALL
    SELECT p.boot_id, p.pid, p.process_start_ns, t.depth + 1 AS depth
    FROM tree AS t
    JOIN processes AS p ON p.boot_id = t.boot_id AND p.ppid = t.pid AND p.parent_start_ns = t.process_start_ns
    WHERE t.depth < 64
)
SELECT DISTINCT e.time, t.depth, e.pid, e.uid, e.path, e.digest
FROM tree AS t
JOIN events AS e ON e.boot_id = t.boot_id AND e.pid = t.pid AND e.process_start_ns = t.process_start_ns
WHERE e.hook = 'bprm_check_security'
ORDER BY e.time, e.pid, e.path

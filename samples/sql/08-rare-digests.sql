-- Which contents ran or were loaded on one host alone? Rare is not bad: it is where to look first.
SELECT digest_algorithm, digest, count(DISTINCT host) AS hosts, min(path) AS a_path, min(time) AS first_seen, count(*) AS events
FROM events
WHERE digest IS NOT NULL AND hook IN ('bprm_check_security', 'mmap_file', 'kernel_read_file')
GROUP BY digest_algorithm, digest
HAVING count(DISTINCT host) = 1
ORDER BY first_seen, digest

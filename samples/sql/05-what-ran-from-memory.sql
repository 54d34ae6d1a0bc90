-- What ran from memory: from tmpfs or ramfs, from a memfd, or from a file that had been deleted?
SELECT time, host, path, fs_type, pid, uid, digest_algorithm, digest
FROM events
WHERE hook = 'bprm_check_security' AND (fs_type IN ('tmpfs', 'ramfs', 'rootfs', 'hugetlbfs')
    OR array_contains(path_flags, 'memfd') OR array_contains(path_flags, 'deleted'))
ORDER BY time, cpu, seq

-- The recordings in their order. Within one manifest its own order holds, whatever clocks said; several are merged by time, so
-- that each recording stands where the latest start before it in its manifest stands.
@keep(known_recordings)
SELECT signs.recording_id, coalesce(machine, host) AS host, boot_id, start_us, end_us, start_ns, end_ns, has_ledger,
    coalesce(archive, 1000000000) AS archive, coalesce(line, 0) AS line
FROM (
    SELECT recording_id, min(host) AS host, min(from_us) AS start_us, max(to_us) AS end_us,
        min(from_ns) AS start_ns, max(to_ns) AS end_ns, max(in_ledger) AS has_ledger
    FROM (
        SELECT recording_id, host, @micros(time) AS from_us, @micros(time) AS to_us,
            boot_ns AS from_ns, boot_ns AS to_ns, 1 AS in_ledger
        FROM ledger
        UNION ALL
        SELECT recording_id, host, @micros(first_time) AS from_us, @micros(last_time) AS to_us,
            first_boot_ns AS from_ns, last_boot_ns AS to_ns, 0 AS in_ledger
        FROM files
    ) AS each_sign
    GROUP BY recording_id
) AS signs
LEFT JOIN manifests ON manifests.recording_id = signs.recording_id;

@keep(recordings)
SELECT recording_id, host, boot_id, start_us, end_us, start_ns, end_ns, has_ledger,
    row_number() OVER (ORDER BY reached_us, archive, line, recording_id) AS rank
FROM (
    SELECT *, max(start_us) OVER (PARTITION BY archive ORDER BY line, start_us, recording_id @so_far()) AS reached_us
    FROM known_recordings
) AS queues;

-- What was lost, and what rate limits and merges of rows stopped, where that can have been a row that tells of a change.
@keep(spans_of_policies)
SELECT recording_id, begin_ns, lead(begin_ns, 1) OVER (PARTITION BY recording_id ORDER BY begin_ns, number) AS end_ns, number
FROM (
    SELECT recording_id, begin_ns, row_number() OVER (PARTITION BY recording_id ORDER BY begin_ns) AS number
    FROM (
        SELECT recording_id, boot_ns AS begin_ns FROM ledger WHERE kind = 'reload' AND cause IS NULL
        UNION ALL
        SELECT recording_id, -9223372036854775807 AS begin_ns FROM recordings
    ) AS begins
) AS numbered;

@keep(policies_of_spans)
SELECT s.recording_id, s.number, s.begin_ns, coalesce(s.end_ns, 9223372036854775807) AS end_ns, p.list, p.hook,
    coalesce(p.tells_suppressed, 0) AS tells_suppressed
FROM spans_of_policies AS s
LEFT JOIN policies AS p ON p.recording_id = s.recording_id
    AND p.boot_ns >= s.begin_ns AND p.boot_ns < coalesce(s.end_ns, 9223372036854775807);

@keep(noted_losses)
SELECT recording_id, coalesce(cause, kind) AS cause, count AS lost, @micros(time) AS time_us, boot_ns, kind,
    coalesce(to_ns, boot_ns) AS to_ns, least(coalesce(from_ns, 0), coalesce(to_ns, boot_ns)) AS from_ns
FROM ledger
WHERE kind IN ('loss', 'blind', 'gap', 'corrupt', 'tamper')
    OR (kind = 'suppressed' AND cause IN ('rate_limit', 'dedupe'));

@keep(suppressing_causes)
SELECT DISTINCT n.recording_id, n.cause, n.from_ns, n.to_ns, 1 AS can_miss
FROM noted_losses AS n
JOIN policies_of_spans AS p ON p.recording_id = n.recording_id
WHERE n.kind = 'suppressed' AND p.begin_ns <= n.to_ns AND p.end_ns >= n.from_ns AND (
    p.hook IS NULL
    OR (((p.tells_suppressed = 1 AND p.list = n.cause) OR (p.tells_suppressed = 0 AND p.list = 'hooks')) AND (
        p.hook IN ('file_open', 'file_post_open')
        OR (n.cause = 'rate_limit' AND (@starts_with(p.hook, 'bprm_') OR p.hook IN (
            'mmap_file', 'file_mprotect', 'kernel_read_file', 'file_lock', 'file_receive', 'path_rename', 'inode_rename',
            'path_link', 'inode_link', 'path_unlink', 'inode_unlink', 'path_truncate', 'inode_setattr', 'file_truncate')))
    ))
);

@keep(losses)
SELECT n.recording_id, n.cause, n.lost, n.from_ns, n.to_ns,
    @rounded_down((n.time_us * 1000 - n.boot_ns + n.from_ns)) AS from_us,
    @rounded_down((n.time_us * 1000 - n.boot_ns + n.to_ns)) AS to_us
FROM noted_losses AS n
LEFT JOIN suppressing_causes AS s ON s.recording_id = n.recording_id AND s.cause = n.cause
    AND s.from_ns = n.from_ns AND s.to_ns = n.to_ns
WHERE n.kind <> 'suppressed' OR s.can_miss = 1;


-- Rows of different segments may overlap. Where such rows have different digests, only their events tell the order.
@keep(places_in_order)
SELECT series, rank, ns, cpu, seq,
    row_number() OVER (PARTITION BY series ORDER BY rank, ns, cpu, seq) AS position
FROM (
    SELECT series, rank, first_ns AS ns, first_cpu AS cpu, first_seq AS seq FROM runs WHERE doubt = ''
    UNION
    SELECT series, rank, last_ns AS ns, last_cpu AS cpu, last_seq AS seq FROM runs WHERE doubt = ''
) AS ends;

@keep(certain_runs)
SELECT r.*, f.position AS first_position, l.position AS last_position,
    max(l.position) OVER (PARTITION BY r.series ORDER BY f.position, l.position, r.run @so_far()) AS reached
FROM runs AS r
JOIN places_in_order AS f ON f.series = r.series AND f.rank = r.rank AND f.ns = r.first_ns
    AND f.cpu = r.first_cpu AND f.seq = r.first_seq
JOIN places_in_order AS l ON l.series = r.series AND l.rank = r.rank AND l.ns = r.last_ns
    AND l.cpu = r.last_cpu AND l.seq = r.last_seq
WHERE r.doubt = '';

@keep(clusters)
SELECT *, sum(CASE WHEN reached_before IS NULL OR first_position > reached_before THEN 1 ELSE 0 END)
    OVER (PARTITION BY series ORDER BY first_position, last_position, run @so_far()) AS cluster_number
FROM (
    SELECT *, lag(reached, 1) OVER (PARTITION BY series ORDER BY first_position, last_position, run) AS reached_before
    FROM certain_runs
) AS known;

@keep(mixed_clusters)
SELECT series, cluster_number, recording_id, rank, host, path, root, mounted, root_dev, root_ino, first_ns, first_cpu, first_seq,
    to_position, expected, says_reading
FROM (
    SELECT *,
        row_number() OVER (PARTITION BY series, cluster_number ORDER BY first_position, last_position, run) AS number_in_cluster,
        min(content) OVER (PARTITION BY series, cluster_number) AS least_content,
        max(content) OVER (PARTITION BY series, cluster_number) AS greatest_content,
        max(last_position) OVER (PARTITION BY series, cluster_number) AS to_position,
        sum(observations) OVER (PARTITION BY series, cluster_number) AS expected,
        max(CASE WHEN last_read_ns IS NULL THEN 0 ELSE 1 END) OVER (PARTITION BY series, cluster_number) AS says_reading
    FROM clusters
) AS known
WHERE number_in_cluster = 1 AND least_content <> greatest_content;

@keep(events_of_clusters)
SELECT m.series, m.cluster_number, m.rank, m.host, m.path, m.root, m.mounted, m.expected, m.says_reading, m.recording_id,
    e.cpu, e.seq, e.boot_ns AS ns, @micros(e.time) AS us, e.boot_id, e.root_dev, e.root_ino, e.mnt_ns, e.parent_ino,
    e.dev, e.ino, e.ino_generation, e.real_dev, e.real_ino, e.image_dev, e.image_ino,
    e.digest_algorithm AS algorithm, e.digest, e.digest_algorithm || ' ' || e.digest AS content,
    coalesce(e.digest_duration_ns, 0) AS duration_ns, coalesce(e.content_read_ns, 0) AS read_ns,
    CASE WHEN @names_its_file(e) THEN 1 ELSE 0 END AS is_named,
    CASE WHEN array_contains(e.path_flags, 'mount_point')
        THEN e.boot_id || ' ' || e.dev || ' ' || CAST(e.ino AS STRING) || ' ' || CAST(e.ino_generation AS STRING)
        ELSE '' END AS mounted_file,
    @joined(e.path_flags) || ' ' || e.dev || ' ' || CAST(e.ino AS STRING) || ' ' || CAST(e.ino_generation AS STRING)
        || ' ' || coalesce(e.real_dev, '-') || ' ' || coalesce(CAST(e.real_ino AS STRING), '-')
        || ' ' || coalesce(e.image_dev, '-') || ' ' || coalesce(CAST(e.image_ino AS STRING), '-')
        || ' ' || e.digest_algorithm || ' ' || e.digest AS run_key
FROM mixed_clusters AS m
JOIN places_in_order AS t ON t.series = m.series AND t.position = m.to_position
JOIN raw_events AS e ON e.recording_id = m.recording_id AND e.path = m.path AND e.root_dev = m.root_dev AND e.root_ino = m.root_ino
WHERE e.boot_ns >= m.first_ns AND e.boot_ns <= t.ns
    AND (e.boot_ns > m.first_ns OR e.cpu > m.first_cpu OR (e.cpu = m.first_cpu AND e.seq >= m.first_seq))
    AND (e.boot_ns < t.ns OR e.cpu < t.cpu OR (e.cpu = t.cpu AND e.seq <= t.seq))
    AND @has_certain_digest(e)
    AND e.ino IS NOT NULL AND e.ino_generation IS NOT NULL AND e.size_bytes IS NOT NULL AND e.owner_uid IS NOT NULL
    AND e.owner_gid IS NOT NULL AND e.dev IS NOT NULL AND e.fs_type IS NOT NULL AND e.mode IS NOT NULL
    AND e.mtime IS NOT NULL AND e.ctime IS NOT NULL;

@keep(events_in_runs)
SELECT *, sum(CASE WHEN key_before = run_key THEN 0 ELSE 1 END)
    OVER (PARTITION BY series, cluster_number ORDER BY ns, cpu, seq @so_far()) AS run_number
FROM (
    SELECT *, lag(run_key, 1) OVER (PARTITION BY series, cluster_number ORDER BY ns, cpu, seq) AS key_before
    FROM (
        SELECT *, row_number() OVER (PARTITION BY series, cluster_number, cpu, seq ORDER BY ns) AS copy FROM events_of_clusters
    ) AS copies
    WHERE copy = 1
) AS known;

@keep(files_of_clusters)
SELECT DISTINCT c.series, c.cluster_number, c.dev, c.ino, c.ino_generation
FROM clusters AS c
JOIN mixed_clusters AS m ON m.series = c.series AND m.cluster_number = c.cluster_number;

-- The runs anew, from the events; only where these are all there, else the rows stay as they are.
@keep(told_events)
SELECT e.*,
    row_number() OVER (PARTITION BY e.series, e.cluster_number, e.run_number ORDER BY e.ns, e.cpu, e.seq) AS from_first,
    row_number() OVER (PARTITION BY e.series, e.cluster_number, e.run_number ORDER BY e.ns DESC, e.cpu DESC, e.seq DESC) AS from_last,
    max(e.read_ns) OVER (PARTITION BY e.series, e.cluster_number, e.run_number) AS last_read_ns,
    count(*) OVER (PARTITION BY e.series, e.cluster_number) AS found
FROM events_in_runs AS e
JOIN files_of_clusters AS f ON f.series = e.series AND f.cluster_number = e.cluster_number AND f.dev = e.dev AND f.ino = e.ino
    AND f.ino_generation = e.ino_generation
WHERE e.is_named = 1 AND e.mounted_file = e.mounted;

@keep(told_clusters)
SELECT DISTINCT series, cluster_number FROM told_events WHERE found = expected;

@keep(ordered_runs)
SELECT c.series, c.rank, c.host, c.path, c.root, c.boot_id, c.root_dev, c.root_ino, c.parent_ino, c.dev, c.ino, c.ino_generation,
    c.real_dev, c.real_ino, c.image_dev, c.image_ino, c.algorithm, c.digest, c.content, c.recording_id,
    c.first_ns, c.first_cpu, c.first_seq, c.first_us, c.duration_ns, c.last_ns, c.last_cpu, c.last_seq, c.last_us,
    c.last_read_ns, c.observations
FROM clusters AS c
LEFT JOIN told_clusters AS t ON t.series = c.series AND t.cluster_number = c.cluster_number
WHERE t.series IS NULL
UNION ALL
SELECT f.series, f.rank, f.host, f.path, f.root, f.boot_id, f.root_dev, f.root_ino, f.parent_ino, f.dev, f.ino, f.ino_generation,
    f.real_dev, f.real_ino, f.image_dev, f.image_ino, f.algorithm, f.digest, f.content, f.recording_id,
    f.ns AS first_ns, f.cpu AS first_cpu, f.seq AS first_seq, f.us AS first_us, f.duration_ns,
    l.ns AS last_ns, l.cpu AS last_cpu, l.seq AS last_seq, l.us AS last_us,
    CASE WHEN f.says_reading = 1 THEN f.last_read_ns END AS last_read_ns, l.from_first AS observations
FROM told_events AS f
JOIN told_events AS l ON l.series = f.series AND l.cluster_number = f.cluster_number AND l.run_number = f.run_number
WHERE f.from_first = 1 AND l.from_last = 1 AND f.found = f.expected;

-- Versions: neighbouring runs with one content.
@keep(runs_of_versions)
SELECT *,
    row_number() OVER (PARTITION BY series, version ORDER BY rank, first_ns, first_cpu, first_seq, last_ns, last_cpu, last_seq) AS from_first,
    row_number() OVER (PARTITION BY series, version ORDER BY rank DESC, last_ns DESC, last_cpu DESC, last_seq DESC,
        first_ns DESC, first_cpu DESC, first_seq DESC) AS from_last,
    sum(observations) OVER (PARTITION BY series, version) AS all_observations,
    CASE WHEN dev = '' THEN 0 ELSE least(coalesce(last_read_ns, last_ns), last_ns) END AS read_ns
FROM (
    SELECT *, sum(CASE WHEN content_before = content THEN 0 ELSE 1 END) OVER (PARTITION BY series
        ORDER BY rank, first_ns, first_cpu, first_seq, last_ns, last_cpu, last_seq @so_far()) AS version
    FROM (
        SELECT *, lag(content, 1) OVER (PARTITION BY series
            ORDER BY rank, first_ns, first_cpu, first_seq, last_ns, last_cpu, last_seq) AS content_before
        FROM ordered_runs
    ) AS neighbours
) AS numbered;

-- The last real reading of a content, of the file that had it last: a digest that was kept is of an earlier time than its row.
@keep(readings)
SELECT series, version, rank,
    CASE WHEN read_ns > 0 THEN read_ns ELSE 0 END AS ns,
    last_us - @rounded_up(greatest(last_ns - CASE WHEN read_ns > 0 THEN read_ns ELSE 0 END, 0)) AS us
FROM (
    SELECT r.*, row_number() OVER (PARTITION BY r.series, r.version ORDER BY
        CASE WHEN r.dev = '' THEN r.from_last ELSE 0 END,
        CASE WHEN r.read_ns > 0 THEN 0 ELSE 1 END,
        CASE WHEN r.read_ns > 0 THEN r.rank ELSE 0 END DESC,
        CASE WHEN r.read_ns > 0 THEN r.read_ns ELSE 0 END DESC,
        CASE WHEN r.read_ns > 0 THEN 0 - r.from_first ELSE r.from_first END) AS place_of_reading
    FROM (SELECT *, ino AS run_ino, ino_generation AS run_ino_generation, boot_id AS run_boot_id, dev AS run_dev FROM runs_of_versions) AS r
    JOIN (
        SELECT series, version, ino AS latest_ino, ino_generation AS latest_ino_generation, boot_id AS latest_boot_id,
            dev AS latest_dev
        FROM runs_of_versions WHERE from_last = 1
    ) AS l ON l.series = r.series AND l.version = r.version
    WHERE @is_one_file(run, latest)
) AS of_file
WHERE place_of_reading = 1;

@keep(versions)
SELECT f.series, f.version, f.host, f.path, f.root, f.algorithm, f.digest, f.root_dev, f.root_ino, f.recording_id,
    f.rank AS first_rank, f.first_ns, f.first_cpu, f.first_seq, f.first_us, f.duration_ns,
    f.boot_id AS first_boot_id, f.dev AS first_dev, f.ino AS first_ino, f.ino_generation AS first_ino_generation,
    f.root_dev AS first_root_dev, f.root_ino AS first_root_ino, f.parent_ino AS first_parent_ino,
    f.real_dev AS first_real_dev, f.real_ino AS first_real_ino, f.image_dev AS first_image_dev, f.image_ino AS first_image_ino,
    l.last_us, l.last_ns, l.rank AS last_rank,
    l.boot_id AS latest_boot_id, l.dev AS latest_dev, l.ino AS latest_ino, l.ino_generation AS latest_ino_generation,
    l.root_dev AS latest_root_dev, l.root_ino AS latest_root_ino, l.parent_ino AS latest_parent_ino,
    l.real_dev AS latest_real_dev, l.real_ino AS latest_real_ino, l.image_dev AS latest_image_dev,
    l.image_ino AS latest_image_ino,
    r.rank AS read_rank, r.ns AS read_ns, r.us AS read_us, f.all_observations AS observations
FROM runs_of_versions AS f
JOIN runs_of_versions AS l ON l.series = f.series AND l.version = f.version
JOIN readings AS r ON r.series = f.series AND r.version = f.version
WHERE f.from_first = 1 AND l.from_last = 1;


-- Rows of versions by the place that they are of: a path under a root of a host, and where a file is mounted over the path, that
-- file alone. The host's own root is one for all boots.
@keep(run_rows)
SELECT f.recording_id || ' ' || CAST(f.first_cpu AS STRING) || ' ' || CAST(f.first_seq AS STRING) AS run,
    f.recording_id, r.rank, r.host, f.path,
    CASE WHEN f.root_is_host THEN ''
        ELSE f.boot_id || ' ' || f.root_dev || ' ' || CAST(f.root_ino AS STRING) END AS root,
    CASE WHEN array_contains(f.path_flags, 'mount_point')
        THEN f.boot_id || ' ' || f.dev || ' ' || CAST(f.ino AS STRING) || ' ' || CAST(f.ino_generation AS STRING)
        ELSE '' END AS mounted,
    f.boot_id, f.root_dev, f.root_ino, f.mnt_ns, f.parent_ino, f.dev, f.ino, f.ino_generation,
    f.real_dev, f.real_ino, f.image_dev, f.image_ino,
    f.digest_algorithm AS algorithm, f.digest, f.digest_algorithm || ' ' || f.digest AS content,
    f.first_boot_ns AS first_ns, f.first_cpu, f.first_seq, @micros(f.first_time) AS first_us,
    coalesce(f.first_duration_ns, 0) AS duration_ns,
    f.last_boot_ns AS last_ns, f.last_cpu, f.last_seq, @micros(f.last_time) AS last_us,
    f.last_read_ns, f.observations, f.doubts, @joined(f.doubts) AS doubt
FROM files AS f
JOIN recordings AS r ON r.recording_id = f.recording_id
WHERE @names_its_file(f);

@keep(placed_runs)
SELECT *,
    first_value(run) OVER (PARTITION BY host, path, root, mounted
        ORDER BY rank, first_ns, first_cpu, first_seq, last_ns, last_cpu, last_seq) AS place,
    row_number() OVER (PARTITION BY host, path, root, mounted
        ORDER BY rank, first_ns, first_cpu, first_seq, last_ns, last_cpu, last_seq) AS number
FROM (
    SELECT *, row_number() OVER (PARTITION BY run ORDER BY last_ns DESC, last_cpu DESC, last_seq DESC) AS copy FROM run_rows
) AS copies
WHERE copy = 1;

-- A mount namespace can show another tree at a path under the same root. Runs belong together when they share the file, its
-- directory or the namespace, also by way of others; without a directory all of the place stay together.
@keep(trees_0)
SELECT place, boot_id, mnt_ns, directory, dev, ino, ino_generation,
    CASE WHEN max(is_anywhere) OVER (PARTITION BY place) = 1 THEN 1 ELSE tree END AS tree
FROM (
    SELECT place, boot_id, mnt_ns, coalesce(parent_ino, -1) AS directory, dev, ino, ino_generation,
        min(number) AS tree, max(CASE WHEN parent_ino IS NULL THEN 1 ELSE 0 END) AS is_anywhere
    FROM placed_runs
    GROUP BY place, boot_id, mnt_ns, coalesce(parent_ino, -1), dev, ino, ino_generation
) AS ways;

@rounds()
-- Where the rounds above were too few, runs that belong together may still stand apart: this table names such places.
@keep(unsettled)
SELECT DISTINCT place
FROM (
    SELECT place, tree,
        min(tree) OVER (PARTITION BY place, boot_id, mnt_ns) AS of_namespace,
        min(tree) OVER (PARTITION BY place, directory) AS of_directory,
        min(tree) OVER (PARTITION BY place, boot_id, dev, ino, ino_generation) AS of_file
    FROM @last_trees()
) AS trees
WHERE tree <> of_namespace OR tree <> of_directory OR tree <> of_file;

@keep(runs)
SELECT p.*, first_value(p.run) OVER (PARTITION BY p.place, t.tree ORDER BY p.number) AS series
FROM placed_runs AS p
JOIN @last_trees() AS t ON t.place = p.place AND t.boot_id = p.boot_id AND t.mnt_ns = p.mnt_ns
    AND t.directory = coalesce(p.parent_ino, -1) AND t.dev = p.dev AND t.ino = p.ino
    AND t.ino_generation = p.ino_generation;


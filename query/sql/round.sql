@keep({this})
SELECT place, boot_id, mnt_ns, directory, dev, ino, ino_generation,
    min(of_directory) OVER (PARTITION BY place, boot_id, dev, ino, ino_generation) AS tree
FROM (
    SELECT *, min(of_namespace) OVER (PARTITION BY place, directory) AS of_directory
    FROM (SELECT *, min(tree) OVER (PARTITION BY place, boot_id, mnt_ns) AS of_namespace FROM {before}) AS namespaces
) AS directories;


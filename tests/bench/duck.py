"""One question asked of an archive's files in DuckDB. Usage: duck.py QUESTION ARCHIVE [ARGUMENT]; without any it only starts."""

import sys

import duckdb

# What can change a file's content, as `hashtrail changes` counts it.
ACTS = "('inode_rename', 'inode_link', 'inode_unlink', 'inode_setattr', 'inode_setxattr', 'path_truncate')"
QUESTIONS = {
    "history-events": """
        SELECT digest, ino, min(boot_ns), max(boot_ns), count(*) FROM events WHERE path = $1 AND digest IS NOT NULL GROUP BY ALL
        ORDER BY min(boot_ns)""",
    "history-index": "SELECT * FROM files WHERE path = $1 ORDER BY first_boot_ns",
    "digest-events": "SELECT path, count(*), min(boot_ns), max(boot_ns) FROM events WHERE digest = $1 GROUP BY path",
    "digest-index": "SELECT path, count(*), min(first_boot_ns), max(last_boot_ns) FROM files WHERE digest = $1 GROUP BY path",
    "changes": f"""
        WITH runs AS (
            SELECT host, root_dev, root_ino, path, dev, ino, digest, first_boot_ns, last_boot_ns,
                lag(digest) OVER series AS before, lag(last_boot_ns) OVER series AS after_ns
            FROM files WHERE len(doubts) = 0
            WINDOW series AS (PARTITION BY host, root_dev, root_ino, path ORDER BY first_boot_ns, first_cpu, first_seq)),
        changed AS (SELECT * FROM runs WHERE before <> digest),
        acts AS (SELECT * FROM events WHERE hook IN {ACTS} OR hook = 'file_open' AND open_flags & 3 <> 0),
        suspects AS (
            SELECT c.path, c.first_boot_ns, a.pid, a.exe, a.uid, a.boot_ns FROM changed c JOIN acts a
                ON a.path = c.path AND a.boot_ns BETWEEN c.after_ns AND c.first_boot_ns
            UNION SELECT c.path, c.first_boot_ns, a.pid, a.exe, a.uid, a.boot_ns FROM changed c JOIN acts a
                ON a.target_path = c.path AND a.boot_ns BETWEEN c.after_ns AND c.first_boot_ns
            UNION SELECT c.path, c.first_boot_ns, a.pid, a.exe, a.uid, a.boot_ns FROM changed c JOIN acts a
                ON a.dev = c.dev AND a.ino = c.ino AND a.boot_ns BETWEEN c.after_ns AND c.first_boot_ns)
        SELECT c.path, c.before, c.digest, c.after_ns, c.first_boot_ns, list((s.boot_ns, s.pid, s.exe, s.uid))
        FROM changed c LEFT JOIN suspects s USING (path, first_boot_ns) GROUP BY ALL ORDER BY c.first_boot_ns""",
}

if len(sys.argv) > 1:
    question, archive, *arguments = sys.argv[1:]
    connection = duckdb.connect()
    for table in ("events", "files"):
        pattern = f"{archive}/{table}/*/*/*.parquet".replace("'", "''")
        connection.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{pattern}', hive_partitioning = false)")
    cursor = connection.execute(QUESTIONS[question], arguments)
    while rows := cursor.fetchmany(10000):
        print(*rows, sep="\n")

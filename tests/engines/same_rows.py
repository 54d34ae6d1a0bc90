"""Compares the rows of two archives, table by table, as often as they stand there. Usage: same_rows.py ARCHIVE ARCHIVE

Prints {"table": {"rows": …, "only_first": …, "only_second": …}}.
"""

import json
import sys

import duckdb

connection = duckdb.connect()
result = {}
for table in ("events", "files", "ledger"):
    first, second = (f"read_parquet('{archive}/{table}/**/*.parquet', hive_partitioning = true)" for archive in sys.argv[1:])
    columns = [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {first}").fetchall()]
    chosen = ", ".join(f'"{column}"' for column in columns)

    def count(query):
        return connection.execute(f"SELECT count(*) FROM ({query})").fetchone()[0]

    def only(left, right):
        return count(f"SELECT {chosen} FROM {left} EXCEPT ALL SELECT {chosen} FROM {right}")

    result[table] = {
        "rows": count(f"SELECT * FROM {first}"),
        "only_first": only(first, second),
        "only_second": only(second, first),
    }
print(json.dumps(result))

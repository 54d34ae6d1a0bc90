"""The tables of one archive as DuckDB sees them; knows nothing of hashtrail's own reader."""

import pathlib

import duckdb

TABLES = ("events", "files", "ledger", "packages")


def connect(archive):
    """A connection with one view for each table that the archive has."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for table in TABLES:
        if not pathlib.Path(archive, table).is_dir():
            continue
        pattern = f"{archive}/{table}/**/*.parquet".replace("'", "''")
        connection.execute(
            f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{pattern}', hive_partitioning = true)"
        )
    return connection

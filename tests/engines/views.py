"""The three tables of one archive as DuckDB sees them; knows nothing of hashtrail's own reader."""

import duckdb

TABLES = ("events", "files", "ledger")


def connect(archive):
    """A connection with one view for each table of the archive."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for table in TABLES:
        pattern = f"{archive}/{table}/**/*.parquet".replace("'", "''")
        connection.execute(
            f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{pattern}', hive_partitioning = true)"
        )
    return connection

"""Reads every column of every row of an archive with one engine and prints {"table": rows}.

Usage: counts.py duckdb|spark|pyarrow|polars ARCHIVE
"""

import json
import os
import sys

TABLES = ("events", "files", "ledger")


def duckdb(archive):
    from views import connect

    connection = connect(archive)
    return {table: len(connection.execute(f"SELECT * FROM {table}").fetchall()) for table in TABLES}


def spark(archive):
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    return {table: len(session.read.parquet(os.path.join(archive, table)).collect()) for table in TABLES}


def pyarrow(archive):
    import pyarrow.dataset

    def rows(table):
        dataset = pyarrow.dataset.dataset(os.path.join(archive, table), format="parquet", partitioning="hive")
        return len(dataset.to_table().to_pylist())

    return {table: rows(table) for table in TABLES}


def polars(archive):
    import polars

    def rows(table):
        pattern = os.path.join(archive, table, "**", "*.parquet")
        return len(polars.read_parquet(pattern, hive_partitioning=True).rows())

    return {table: rows(table) for table in TABLES}


print(json.dumps({"duckdb": duckdb, "spark": spark, "pyarrow": pyarrow, "polars": polars}[sys.argv[1]](sys.argv[2])))

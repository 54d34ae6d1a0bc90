import json

import polars

context = polars.SQLContext()


def read(name, schema, files):
    """Has the rows of files stand under a name. Columns that files of older recorders lack are null."""
    if not files:
        context.register(name, polars.LazyFrame(schema=schema))
        return
    context.register(
        name,
        polars.scan_parquet(
            files, schema=schema, missing_columns="insert", extra_columns="ignore", hive_partitioning=False, glob=False
        ),
    )


def view(name, query):
    context.register(name, context.execute(query, eager=False))


def keep(name, query):
    context.register(name, context.execute(query, eager=True))


def show(query):
    with polars.Config(tbl_rows=-1, tbl_cols=-1, fmt_str_lengths=200):
        print(context.execute(query, eager=True))


"""Runs what `hashtrail sql` printed, and compares its rows with those that `hashtrail changes --format json` printed.

Usage: sql_agrees.py duckdb|spark|polars SCRIPT ANSWER [QUESTIONS]
QUESTIONS is a folder of files in SQL; the answer to each stands beside it, as CSV. With HASHTRAIL_BLESS in the environment those
of DuckDB are written there. Prints how many there are of what; where sides differ, what each alone has, and ends with 1.
"""

import contextlib
import csv
import datetime
import io
import json
import os
import pathlib
import sys
import tempfile

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
SIDES = ("algorithm", "digest", "dev", "ino", "first_seen", "last_seen")
SAME = ("host", "path", "root_dev", "root_ino", "kind", "changed_after", "changed_before", "changed_after_ns")
SAME += ("changed_before_ns", "complete", "unnamed_acts")
SUSPECT = ("time", "act", "hook", "before_interval", "pid", "tid", "process_start_ns", "ppid", "parent_comm", "exe", "comm")
SUSPECT += ("uid", "auid", "euid", "container_id", "path", "path_flags", "target_path", "attributes")


class Asked:
    """What an engine answers: names of columns and rows of a query, or the rows of a table by their columns."""

    def __init__(self, rows):
        self.rows = rows

    def __call__(self, table):
        names, rows = self.rows(f"SELECT * FROM {table}")
        return [dict(zip(names, row)) for row in rows]


def duckdb(script):
    import duckdb

    connection = duckdb.connect()
    connection.execute(script)

    def rows(query):
        result = connection.execute(query)
        return [column[0] for column in result.description], result.fetchall()

    return Asked(rows)


def polars(script):
    names = {"__name__": "printed"}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(script, "printed", "exec"), names)

    def rows(query):
        frame = names["context"].execute(query, eager=True)
        return frame.columns, frame.rows()

    return Asked(rows)


def spark(script):
    from pyspark.sql import SparkSession

    work = tempfile.mkdtemp()
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.sql.codegen.wholeStage", "false")
        .config("spark.sql.warehouse.dir", work)
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    script = script.replace("SET hashtrail.work = hashtrail-sql;", f"SET hashtrail.work = {work};")
    for statement in script.split(";\n"):
        if any(line and not line.startswith("--") for line in statement.split("\n")):
            session.sql(statement)

    def rows(query):
        frame = session.sql(query)
        return frame.columns, [tuple(row) for row in frame.collect()]

    return Asked(rows)


def told(value):
    """As JSON of hashtrail has it."""
    if isinstance(value, datetime.datetime):
        value = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return value


def micros(value):
    return told(EPOCH + datetime.timedelta(microseconds=value))


def answered(rows):
    """What the engine's tables say."""
    gaps, suspects = {}, {}
    for row in rows("change_gaps"):
        gap = [micros(row["from_us"]), micros(row["to_us"]), row["cause"], row["lost"]]
        gaps.setdefault(row["change"], []).append(gap)
    for row in sorted(rows("change_suspects"), key=lambda row: (row["rank"], row["boot_ns"], row["cpu"], row["seq"])):
        suspects.setdefault(row["change"], []).append([told(row[name]) for name in SUSPECT])
    for row in rows("changes"):
        change = row["change"]
        assert row["gaps"] == len(gaps.get(change, [])), f"{row['gaps']} gaps: {gaps.get(change)}"
        assert row["suspects"] == len(suspects.get(change, [])), f"{row['suspects']} suspects: {suspects.get(change)}"
        yield {
            **{name: told(row[name]) for name in SAME},
            **{side: [told(row[f"{side}_{name}"]) for name in SIDES] for side in ("from", "to")},
            "doubts": [doubt for doubt in row["doubts"].split(",") if doubt],
            "coverage": [hook for hook in row["coverage"].split(",") if hook],
            "gaps": sorted(gaps.get(change, []), key=str),
            "suspects": suspects.get(change, []),
        }


def expected(lines):
    """The same of what hashtrail says."""
    for row in map(json.loads, lines):
        if row["type"] != "change":
            continue
        assert row["suspects_omitted"] == 0, "hashtrail lists all suspects here"
        yield {
            **{name: row[name] for name in SAME},
            **{side: [row[side][name] for name in SIDES] for side in ("from", "to")},
            "doubts": row["doubts"],
            "coverage": row["coverage"],
            "gaps": sorted(([gap["from"], gap["to"], gap["cause"], gap["lost"]] for gap in row["gaps"]), key=str),
            "suspects": [[suspect[name] for name in SUSPECT] for suspect in row["suspects"]],
        }


def folds_digests(ask):
    """Whether each digest of user space stands in the row that it is for, and only there."""
    names = "recording_id, cpu, seq, hook, digest, ref_cpu, ref_seq"
    raw = {row[:3]: row[3:] for row in map(tuple, ask.rows(f"SELECT {names} FROM raw_events")[1])}
    digests = {key: row[1] for key, row in raw.items()}
    count = 0
    for (recording, *key), (hook, digest, *asked) in raw.items():
        if hook == "user_digest" and digest and (recording, *asked) in raw:
            digests[recording, *asked] = digest
            del digests[recording, *key]
            count += 1
    found = {tuple(row[:3]): row[3] for row in ask.rows("SELECT recording_id, cpu, seq, digest FROM events")[1]}
    if found != digests:
        print("digests of user space stand elsewhere", set(found.items()) ^ set(digests.items()), file=sys.stderr)
    return found == digests, {"folded": count}


def agrees(engine, ask, answer):
    left = sorted(json.dumps(row, sort_keys=True) for row in answered(ask))
    right = sorted(json.dumps(row, sort_keys=True) for row in expected(pathlib.Path(answer).read_text().splitlines()))
    counts = {name: sum(len(json.loads(row)[name]) for row in right) for name in ("gaps", "suspects", "doubts")}
    if left != right:
        print(f"{engine} alone:", *sorted(set(left) - set(right))[:3], sep="\n", file=sys.stderr)
        print("hashtrail alone:", *sorted(set(right) - set(left))[:3], sep="\n", file=sys.stderr)
        print(f"{len(left)} and {len(right)} changes", file=sys.stderr)
    return left == right, {"changes": len(right), "unsettled": len(ask("unsettled")), **counts}


def as_csv(names, rows):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([int(cell) if isinstance(cell, bool) else told(cell) for cell in row] for row in rows)
    return text.getvalue()


def answers_questions(engine, ask, folder):
    questions = sorted(pathlib.Path(folder).glob("*.sql"))
    differ = False
    for question in questions:
        answer, beside = as_csv(*ask.rows(question.read_text())), question.with_suffix(".csv")
        if os.environ.get("HASHTRAIL_BLESS") and engine == "duckdb":
            beside.write_text(answer)
        elif beside.read_text() != answer:
            differ = True
            print(f"{question.name}: {engine} answers", answer, "and beside it stands", beside.read_text(), sep="\n", file=sys.stderr)
    return not differ, {"questions": len(questions)}


def main(engine, script, answer, questions=None):
    ask = {"duckdb": duckdb, "spark": spark, "polars": polars}[engine](pathlib.Path(script).read_text())
    good, counts = agrees(engine, ask, answer)
    folds, count = folds_digests(ask)
    good, counts = good and folds, counts | count
    if questions:
        answers, count = answers_questions(engine, ask, questions)
        good, counts = good and answers, counts | count
    print(json.dumps(counts))
    return int(not good)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""Compares what the job `samples/spark/fleet.py` wrote with what hashtrail answers in JSON.

Usage: fleet_agrees.py OUT ANSWERS
ANSWERS has the files changes, rare, and where the job was asked for them lookup, diff (two hosts) or diff-HOST (before and after a
moment). Prints how many rows were compared of what; where sides differ, what each alone has, and ends with 1. DuckDB reads what Spark wrote.
"""

import json
import pathlib
import sys

import duckdb
from sql_agrees import answered, expected, told

RARE = ("algorithm", "digest", "hosts", "host_names", "observations", "runs", "not_run", "paths", "first_paths", "first_seen", "last_seen")
SIDE = ("digests", "doubtful_digests", "without_digest", "hosts", "first_seen", "last_seen")


class Written:
    """The rows of each answer; all that is there must be whole."""

    def __init__(self, out):
        self.answers = pathlib.Path(out, "answers")
        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone = 'UTC'")

    def __call__(self, name):
        folder = self.answers / name
        assert (folder / "_SUCCESS").exists(), f"`{folder}` is not whole"
        files = [str(file) for file in folder.rglob("*.parquet")]
        if not files:
            return []
        result = self.connection.execute("SELECT * FROM read_parquet($1, hive_partitioning = true)", [files])
        names = [column[0] for column in result.description]
        return [dict(zip(names, row)) for row in result.fetchall()]


def lines(path, kind):
    return [row for row in map(json.loads, path.read_text().splitlines()) if row["type"] == kind]


def root_text(root):
    return f"{root['boot_id']} {root['dev']} {root['ino']}" if root else ""


def rare(written, answers):
    left = [{name: told(row[name]) for name in RARE} for row in written("rare")]
    return left, [{name: row[name] for name in RARE} for row in lines(answers / "rare", "rare")]


def hits(written, answers):
    """What is known of each digest at each place; `lookup` tells its versions one by one, of each file, root and tree."""
    key = ("host", "path", "root_is_host", "algorithm", "digest")
    places = {}
    for row in lines(answers / "lookup", "match"):
        place = (*(row[name] for name in key), bool(row["doubts"]), row["label"] or "")
        found = places.setdefault(place, {"first_seen": set(), "last_seen": set(), "observations": [], "runs": []})
        found["first_seen"].add(row["first_seen"])
        found["last_seen"].add(row["last_seen"])
        found["observations"].append(row["observations"])
        found["runs"].append(row["runs"])
    left = []
    for row in written("hits"):
        place = (*(row[name] for name in key), row["is_doubtful"], row["label"])
        times = [told(row[name]) for name in ("first_seen", "last_seen")]
        known = places.get(place, {"first_seen": (), "last_seen": ()})
        is_known = times[0] in known["first_seen"] and times[1] in known["last_seen"]
        left.append([*place, row["observations"], row["runs"], "as told" if is_known else times])
    right = [
        [*place, sum(found["observations"]), None if None in found["runs"] else sum(found["runs"]), "as told"]
        for place, found in places.items()
    ]
    return left, right


def diff(written, answers):
    left, asked = [], {file.name.removeprefix("diff").removeprefix("-") for file in answers.glob("diff*")}
    for row in written("diff"):
        if row["host"] not in asked:
            continue
        sides = {side: [told(row[f"{side}_{name}"]) for name in SIDE] for side in ("left", "right")}
        left.append([row["host"], row["kind"], row["path"], row["root"], row["algorithm"], sides])
    right = []
    for file in answers.glob("diff*"):
        host = file.name.removeprefix("diff").removeprefix("-")
        for row in lines(file, "difference"):
            sides = {side: [row[side][name] if row[side] else None for name in SIDE] for side in ("left", "right")}
            right.append([host, row["kind"], row["path"], root_text(row["root"]), row["algorithm"], sides])
    return left, right


def changes(written, answers):
    return list(answered(written)), list(expected((answers / "changes").read_text().splitlines()))


def main(out, answers):
    written, answers, counts, is_good = Written(out), pathlib.Path(answers), {}, True
    asked = {"changes": changes, "rare": rare}
    if (answers / "lookup").exists():
        asked["hits"] = hits
    if any(answers.glob("diff*")):
        asked["diff"] = diff
    for name, compare in asked.items():
        left, right = (sorted(json.dumps(row, sort_keys=True) for row in rows) for rows in compare(written, answers))
        counts[name] = len(right)
        if left != right:
            is_good = False
            print(f"{name} of Spark alone:", *sorted(set(left) - set(right))[:3], sep="\n", file=sys.stderr)
            print(f"{name} of hashtrail alone:", *sorted(set(right) - set(left))[:3], sep="\n", file=sys.stderr)
            print(f"{len(left)} and {len(right)} rows", file=sys.stderr)
    for row in written("sources"):
        counts[row["status"]] = counts.get(row["status"], 0) + 1
    print(json.dumps(counts))
    return int(not is_good)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

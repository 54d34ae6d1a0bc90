"""Holds the lines of stdin against a JSON Schema, and says in which of their objects it takes a field that it does not describe."""

import json
import sys

from jsonschema import Draft202012Validator

# Rows of which each object is tried: the others are of the same kinds.
TRIED = 30


def objects(value, name):
    """Each object in a value, with the name that it stands under."""
    if isinstance(value, list):
        for item in value:
            yield from objects(item, name)
    elif isinstance(value, dict):
        yield name, value
        for member, item in list(value.items()):
            yield from objects(item, member)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    rows, wrong, is_open = 0, [], set()
    for line in sys.stdin:
        row = json.loads(line)
        rows += 1
        wrong += [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(row)]
        if rows > TRIED and row.get("type") != "summary":
            continue
        for name, members in objects(row, row.get("type", "row")):
            members["foreign"] = 1
            if validator.is_valid(row):
                is_open.add(name)
            del members["foreign"]
    print(json.dumps({"rows": rows, "wrong": wrong[:5], "open": sorted(is_open)}))


main()

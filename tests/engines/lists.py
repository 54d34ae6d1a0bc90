"""Prints the digests that a published list is to be looked for by, one a line, read by its publisher's rules.

Usage: lists.py FORMAT FILE"""
import csv
import json
import re
import sys

FORMAT, PATH = sys.argv[1:]
LENGTHS = {"md5": 32, "sha1": 40, "sha224": 56, "sha256": 64, "sha384": 96, "sha512": 128, "sha512/256": 64}


def is_digest(algorithm, value):
    return re.fullmatch("[0-9a-fA-F]{%d}" % LENGTHS.get(algorithm, 1), value) is not None


def attribute(kind, value):
    kind = "filename|md5" if kind == "malware-sample" else kind
    if kind.startswith("filename|"):
        kind, value = kind.split("|")[1], value.split("|")[-1]
    return {value.lower()} if kind in LENGTHS and is_digest(kind, value) else set()


def without_comments(text):
    return [line for line in text.split("\n") if not line.startswith("#")]


def table(text, columns):
    header = [line for line in text.splitlines() if line.startswith(('# "first_seen', "uuid,"))][0]
    header = next(csv.reader([header.lstrip("# ")]))
    lines = [line for line in without_comments(text) if not line.startswith("uuid,")]
    for row in csv.reader(lines_with_ends(lines), skipinitialspace=True):
        if row:
            yield [row[header.index(column)] for column in columns]


def lines_with_ends(lines):
    return [line + "\n" for line in lines if line.strip()]


def misp(value):
    found = set()
    for event in value["response"]:
        event = event["Event"]
        for one in event["Attribute"] + [one for each in event["Object"] for one in each["Attribute"]]:
            found |= attribute(one["type"], one["value"]) if not one["deleted"] else set()
    return found


def pattern(text):
    # What is denied is not looked for; a pattern that is not closed is told, and what it has is looked for.
    text = re.sub(r"!= '[^']*'", "", text)
    return {digest.lower() for digest in re.findall(r"'([0-9a-fA-F]{32,})'", text)}


def stix(value):
    found = set()
    for one in value["objects"]:
        if one["type"] == "indicator" and one["pattern_type"] == "stix" and not one.get("revoked"):
            # An indicator that is cut is no pattern.
            found |= pattern(one["pattern"])
        if one["type"] == "file":
            found |= {one["hashes"][name] for name in ("MD5", "SHA-256")}
    return found


text = open(PATH, encoding="utf-8", newline="").read()
if FORMAT == "malwarebazaar":
    found = {value for row in table(text.replace("\r\n", "\n"), ["sha256_hash", "md5_hash", "sha1_hash"]) for value in row}
elif FORMAT == "threatfox":
    found = set().union(*(attribute(kind.replace("_hash", ""), value) for kind, value in table(text, ["ioc_type", "ioc_value"])))
elif FORMAT == "misp.csv":
    found = set().union(*(attribute(kind, value) for kind, value in table(text, ["type", "value"])))
elif FORMAT == "misp.json":
    found = misp(json.loads(text))
elif FORMAT == "stix":
    found = stix(json.loads(text))
elif FORMAT == "patterns":
    found = set().union(*(pattern(line) for line in without_comments(text)))
elif FORMAT == "sha256sum":
    found = set(re.findall(r"^\\?([0-9a-f]{64}) [ *]", text, re.M))
elif FORMAT == "bsd":
    found = {value for name, value in re.findall(r"^\\?([A-Z0-9]+) \(.*\) = ([0-9a-f]+)$", text, re.M) if is_digest(name.lower(), value)}
print("\n".join(sorted(found)))

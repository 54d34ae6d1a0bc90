"""Writes lists of known files from digests on stdin, one file a line: SHA-256, SHA-1 and MD5, or entries of a filter.

Usage: known.py rds FILE      a database after the schema that NIST publishes for the NSRL's RDSv3
       known.py unindexed FILE  the same columns in another table without any index, in lower case
       known.py views FILE    the digests in a view alone, and another view that never ends
       known.py bloom FILE    a Bloom filter as DCSO's bloom and flor lay it out
       known.py flor FILE     the same written by flor itself"""
import math
import sqlite3
import struct
import sys

RDS = """
CREATE TABLE FILE (sha256 VARCHAR NOT NULL, sha1 VARCHAR NOT NULL, md5 VARCHAR NOT NULL, crc32 VARCHAR NOT NULL,
    file_name VARCHAR NOT NULL, file_size INTEGER NOT NULL, package_id INTEGER NOT NULL,
    CONSTRAINT PK_FILE__FILE PRIMARY KEY (sha256, sha1, md5, file_name, file_size, package_id));
CREATE TABLE MFG (manufacturer_id INTEGER NOT NULL, name VARCHAR NOT NULL);
CREATE TABLE OS (operating_system_id INTEGER NOT NULL, name VARCHAR NOT NULL, version VARCHAR NOT NULL);
CREATE TABLE PKG (package_id INTEGER NOT NULL, name VARCHAR NOT NULL, version VARCHAR NOT NULL);
CREATE TABLE VERSION (version VARCHAR UNIQUE NOT NULL, build_set VARCHAR NOT NULL, build_date TIMESTAMP NOT NULL);
CREATE VIEW DISTINCT_HASH AS SELECT DISTINCT sha256, sha1, md5, crc32 FROM FILE;
"""
UNINDEXED = "CREATE TABLE METADATA (object_id INTEGER, sha256 TEXT, sha1 TEXT, md5 TEXT)"
VIEWS = """
CREATE TABLE DATA (one TEXT, two TEXT, three TEXT);
CREATE VIEW FILE AS SELECT one AS sha256, two AS sha1, three AS md5 FROM DATA;
CREATE VIEW METADATA AS WITH RECURSIVE n(sha256) AS (SELECT 'a' UNION ALL SELECT sha256 FROM n) SELECT * FROM n;
"""
# Capacity and designed rate of a filter.
ENTRIES, RATE = 1000, 0.001


def database(path, schema, insert, rows):
    connection = sqlite3.connect(path)
    connection.executescript(schema)
    connection.executemany(insert, rows)
    connection.commit()
    connection.close()


def fnv_1(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value * 0x100000001B3) % 2**64 ^ byte
    return value


def bloom(path, entries):
    bits = math.floor(-ENTRIES * math.log(RATE) / math.log(2) ** 2)
    hashes = math.ceil(math.log(2) * bits / ENTRIES)
    words = [0] * math.ceil(bits / 64)
    count = 0
    for entry in entries:
        number = fnv_1(entry) % (2**64 - 59)
        is_new = False
        for _ in range(hashes):
            number = number * (2**64 - 1469) % 2**64 % (2**64 - 59)
            word, bit = divmod(number % bits, 64)
            is_new |= not words[word] >> bit & 1
            words[word] |= 1 << bit
        count += is_new
    with open(path, "wb") as out:
        out.write(struct.pack("<QQdQQQ", 1, ENTRIES, RATE, hashes, bits, count))
        out.write(struct.pack("<%dQ" % len(words), *words))


def flor(path, entries):
    from flor import BloomFilter

    written = BloomFilter(n=ENTRIES, p=RATE)
    for entry in entries:
        written.add(entry)
    with open(path, "wb") as out:
        written.write(out)


kind, path = sys.argv[1:]
lines = [line.split() for line in sys.stdin.read().splitlines()]
if kind == "rds":
    rows = [(*map(str.upper, line), "00000000", "file%d" % number, number, 1) for number, line in enumerate(lines)]
    database(path, RDS, "INSERT INTO FILE VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
elif kind == "unindexed":
    rows = [(number, *map(str.lower, line)) for number, line in enumerate(lines)]
    database(path, UNINDEXED, "INSERT INTO METADATA VALUES (?, ?, ?, ?)", rows)
elif kind == "views":
    database(path, VIEWS, "INSERT INTO DATA VALUES (?, ?, ?)", lines)
else:
    {"bloom": bloom, "flor": flor}[kind](path, [line[0].encode() for line in lines])

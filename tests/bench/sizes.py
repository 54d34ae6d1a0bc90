"""What the trace takes on disk, against the same fields as JSON lines under general compressors."""

import collections
import datetime
import gzip
import json
import math
import shutil
import subprocess

import pyarrow
import pyarrow.parquet

from table import count, each

MAGIC_AND_FOOTER_LENGTH_BYTES = 12
# Each says what the other says, to the nanosecond or to the microsecond; Parquet has no column that is made of another.
CLOCKS = ("boot_ns", "time")


def sizes(table, trace):
    """Bytes an event and a version, and the share of what only speeds up look-ups."""
    archive = trace.archive
    if merged := compacted(trace):
        archive = merged
    table.section(
        "Size of the trace" + (", compacted" if merged else ", as it was sealed: this version has no `compact`"),
        f"{count(trace.events)} events; JSON lines have the same fields but for those that are null, each compressor one frame.",
    )
    events = list((archive / "events").rglob("*.parquet"))
    event_bytes = sum(file.stat().st_size for file in events)
    rows = sum(pyarrow.parquet.read_metadata(file).num_rows for file in events)
    lines = json_lines(events)
    compressors = {
        "JSON lines": lambda: len(lines),
        "JSON lines, gzip-6": lambda: len(gzip.compress(lines, 6)),
        "JSON lines, zstd-3": lambda: zstd(lines, 3),
        "JSON lines, zstd-19": lambda: zstd(lines, 19),
    }
    goals = {"JSON lines, gzip-6": 0.22, "JSON lines, zstd-19": 0.70}
    for name, compressed in compressors.items():
        table.ratio(f"events against {name}", event_bytes / rows, compressed() / rows, each, goals.get(name))
    table.figure("events, bytes each", event_bytes / rows, each, 8)
    clock_bytes = sum(column_bytes(file, CLOCKS) for file in events)
    table.ratio("of these boot_ns and time: what their differences say", clock_bytes / rows, clock_entropy(events), each)
    files = list((archive / "files").rglob("*.parquet"))
    versions = sum(pyarrow.parquet.read_metadata(file).num_rows for file in files)
    file_bytes = sum(file.stat().st_size for file in files)
    table.figure(f"index, bytes for each of {count(versions)} file versions", file_bytes / versions, each, 60)
    both = events + files
    share = sum(map(lookup_bytes, both)) / (event_bytes + file_bytes)
    table.figure("blooms and page indexes, share of all", share, lambda part: f"{100 * part:.2f} %", 0.03)


def compacted(trace):
    """A copy of the archive after `compact`; none where the recorder has no such verb."""
    recorder = trace.binaries / "hashtrail-recorder"
    if subprocess.run([recorder, "compact", "--help"], capture_output=True).returncode:
        return None
    archive = trace.work / "compacted"
    shutil.rmtree(archive, ignore_errors=True)
    shutil.copytree(trace.archive, archive)
    subprocess.run([recorder, "compact", "--archive", archive], check=True, capture_output=True)
    return archive


def json_lines(files):
    """The rows of all files in one text, in the order of time."""
    rows = [row for file in files for row in pyarrow.parquet.ParquetFile(file).read().to_pylist()]
    rows.sort(key=lambda row: (row["boot_ns"], row["cpu"], row["seq"]))

    def plain(value):
        if isinstance(value, datetime.datetime):
            return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return value.hex()

    some = ({name: value for name, value in row.items() if value is not None} for row in rows)
    return "".join(json.dumps(row, separators=(",", ":"), default=plain, ensure_ascii=False) + "\n" for row in some).encode()


def column_bytes(file, names):
    metadata = pyarrow.parquet.read_metadata(file)
    groups = [metadata.row_group(group) for group in range(metadata.num_row_groups)]
    chunks = [group.column(column) for group in groups for column in range(metadata.num_columns)]
    return sum(chunk.total_compressed_size for chunk in chunks if chunk.path_in_schema in names)


def clock_entropy(files):
    """What both clocks of a row say beside those of the row before, in bytes: an estimate, as if each difference were by itself."""
    bits = rows = 0
    for file in files:
        columns = pyarrow.parquet.ParquetFile(file).read(columns=list(CLOCKS))
        rows += columns.num_rows
        for name in CLOCKS:
            values = columns[name].cast("int64").to_pylist()
            bits += bits_of([after - before for before, after in zip(values, values[1:])])
    return bits / 8 / rows


def bits_of(differences):
    """Shannon's: the sign and the length of each as often as they come, and all its bits but the first."""
    kinds = collections.Counter((difference < 0, abs(difference).bit_length()) for difference in differences)
    return sum(
        count * (math.log2(len(differences) / count) + max(0, length - 1)) for (_, length), count in kinds.items()
    )


def zstd(content, level):
    return pyarrow.Codec("zstd", compression_level=level).compress(content).size


def lookup_bytes(file):
    """What is neither a column's pages nor the footer: blooms and page indexes."""
    with file.open("rb") as content:
        content.seek(-8, 2)
        footer_bytes = int.from_bytes(content.read(4), "little")
    metadata = pyarrow.parquet.read_metadata(file)
    columns = sum(
        metadata.row_group(group).column(column).total_compressed_size
        for group in range(metadata.num_row_groups)
        for column in range(metadata.num_columns)
    )
    return file.stat().st_size - columns - footer_bytes - MAGIC_AND_FOOTER_LENGTH_BYTES

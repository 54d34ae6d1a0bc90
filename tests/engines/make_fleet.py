"""Makes a fleet of one archive: hosts that had the same incident, and differ as machines do.

Usage: make_fleet.py ARCHIVE FLEET HOSTS [TIMES]
Each host has recordings and names of its own. Every third one has a content of its own at a path; every second one was recorded by an
older recorder, whose files lack columns; the first has TIMES events more, of one content. One archive stands there twice, and of the last
host the ledger is cut short, and its events stand there a second time under a name that no manifest has.
"""

import hashlib
import json
import pathlib
import shutil
import subprocess
import sys

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

NEWER = {"events": ["content_read_ns", "image_dev", "image_ino"], "files": ["last_read_ns", "image_dev", "image_ino"]}
REPEATED = "/data/bin/actor"
OWN = "/bin/busybox"


def replaced(table, column, values):
    return table.set_column(table.schema.get_field_index(column), table.schema.field(column), values)


def texts(table, name, old, new):
    return replaced(table, name, pc.replace_substring(table[name], old, new))


def repeated(name, table, times):
    """Has one content loaded so many times more, between the times at which it was."""
    if name == "files":
        more = [count + times if path == REPEATED else count for path, count in zip(table["path"].to_pylist(), table["observations"].to_pylist())]
        return replaced(table, "observations", pa.array(more, table.schema.field("observations").type))
    if name != "events":
        return table
    loads = table.filter(pc.and_(pc.equal(table["path"], REPEATED), pc.equal(table["hook"], "mmap_file")))
    row = loads.slice(loads.num_rows // 2, 1)
    many = pa.concat_tables([row] * times).combine_chunks()
    many = replaced(many, "cpu", pa.array([0] * times, many.schema.field("cpu").type))
    many = replaced(many, "seq", pa.array(range(1000, 1000 + times), many.schema.field("seq").type))
    return pa.concat_tables([table, many]).sort_by([("boot_ns", "ascending"), ("seq", "ascending")])


def of_host(name, table, number, host, ids, times):
    for old, new in ids:
        for column in ("recording_id", "boot_id"):
            if column in table.column_names:
                table = texts(table, column, old, new)
    table = replaced(table, "host", pa.array([host] * table.num_rows, table.schema.field("host").type))
    if number % 3 == 0 and name in ("events", "files"):
        own = hashlib.sha256(host.encode()).hexdigest()
        is_own = pc.and_(pc.equal(table["path"], OWN), pc.is_valid(table["digest"]))
        table = replaced(table, "digest", pc.if_else(pc.fill_null(is_own, False), own, table["digest"]))
    if number == 0 and times:
        table = repeated(name, table, times)
    return table.drop_columns([column for column in NEWER.get(name, []) if number % 2 and column in table.column_names])


def uuid(number, of):
    return f"{number:08x}" + of[8:]


def make(archive, fleet, number, times):
    lines = [json.loads(line) for line in (archive / "manifest.jsonl").read_text().splitlines()]
    start = next(line for line in lines if line["kind"] == "start")
    host, recording, boot = f"web-{number}", start["recording_id"], start["facts"]["boot_id"]
    ids = [(recording, uuid(number, recording)), (boot, uuid(number, boot))]
    text = json.dumps([line for line in lines if line["kind"] != "ima"])
    for old, new in [*ids, (recording[:8], ids[0][1][:8]), (f"host={start['host']}", f"host={host}"), (f'"host": "{start["host"]}"', f'"host": "{host}"')]:
        text = text.replace(old, new)
    named, root = json.loads(text), fleet / host
    if times and number == 0:
        cpu = next(cpu for cpu in named[-1]["counts"]["cpus"] if cpu["cpu"] == 0)
        cpu.update({name: cpu[name] + times for name in ("produced", "stored")})
    for old, line in zip((line for line in lines if line["kind"] != "ima"), named):
        if line["kind"] != "file":
            continue
        # One file as it is, without columns that engines make of the names of its folders.
        table = of_host(line["path"].split("/")[0], pq.ParquetFile(archive / old["path"]).read(), number, host, ids, times)
        line["rows"] = table.num_rows
        if times and number == 0 and line["sequences"]:
            line["sequences"] = [
                {**known, "last": 999 + times, "count": known["count"] + times} if known["cpu"] == 0 else known for known in line["sequences"]
            ]
        (root / line["path"]).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, root / line["path"], compression="zstd", row_group_size=1 << 16)
    (root / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in named))
    return root


def main(archive, fleet, hosts, times=0):
    archive, fleet = pathlib.Path(archive), pathlib.Path(fleet)
    for number in range(int(hosts)):
        root = make(archive, fleet, number, int(times))
        subprocess.run([sys.executable, pathlib.Path(__file__).with_name("reseal.py"), root], check=True)
    # The last host: its ledger was cut short, and its events stand there once more, under a name that no manifest has.
    (ledger,), (events,) = ((root / table).rglob("*.parquet") for table in ("ledger", "events"))
    ledger.write_bytes(ledger.read_bytes()[:-1])
    shutil.copy(events, events.with_name("copied.parquet"))
    # The second one was copied twice.
    shutil.copytree(fleet / "web-1", fleet / "web-1-again")


main(*sys.argv[1:])

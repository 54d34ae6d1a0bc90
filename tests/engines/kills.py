"""Kills the recorder again and again, and says what was lost.

usage: kills.py RECORDER QUERY kill COUNT        at random moments under load
       kills.py RECORDER QUERY calls EVERY       at every EVERYth system call that changes the disk
       kills.py RECORDER QUERY errors EVERY      those calls fail instead, once each

The oracle is the kernel: this process holds the recorder's ring buffers open, and reads their consumer positions when the
recorder is dead. All records of a ring have one size, so the position says how many had left the ring. Exactly as many
different ones must be in the archive after recovery, and one more that was on its way may be.

Prints one JSON object for each kill; exits 1 when anything was lost, doubled or not on record.
"""

import ctypes
import glob
import json
import mmap
import os
import pathlib
import random
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time

import duckdb

RING_BYTES = 1 << 20
LAYOUT = pathlib.Path(__file__).parents[2] / "bpf/event.h"
HEAD_BYTES = int(re.search(r"sizeof\(struct event\) == (\d+)", LAYOUT.read_text())[1])
RECORD_BYTES = (8 + HEAD_BYTES + 23 + 7) // 8 * 8  # the ring's own head, the record's head and path, rounded up to 8
RING_MAP_TYPE = 27
KEYS = tempfile.TemporaryDirectory(prefix="hashtrail-keys-")
KEY = f"{KEYS.name}/key"
PIDFD_GETFD = 438
CHANGING_CALLS = "fallocate,fsync,fdatasync,rename,renameat,renameat2,unlink,ftruncate,write,mkdir"
OPTIONS = ["--ring-size", "1MiB", "--journal-size", "256MiB", "--seal-interval", "1s", "--sync-interval", "200ms"]


class Rings:
    """The ring buffers of a process, kept open beyond its death."""

    def __init__(self, pid):
        pidfd = os.pidfd_open(pid)
        libc = ctypes.CDLL(None, use_errno=True)
        self.maps = []
        for fd in sorted(int(name) for name in os.listdir(f"/proc/{pid}/fd")):
            try:
                with open(f"/proc/{pid}/fdinfo/{fd}") as file:
                    fields = dict(line.split(":", 1) for line in file if ":" in line)
            except OSError:
                continue
            if int(fields.get("map_type", 0)) == RING_MAP_TYPE and int(fields["max_entries"]) == RING_BYTES:
                own = libc.syscall(PIDFD_GETFD, pidfd, fd, 0)
                if own < 0:
                    raise OSError(ctypes.get_errno(), "pidfd_getfd")
                self.maps.append(mmap.mmap(own, mmap.PAGESIZE, mmap.MAP_SHARED, mmap.PROT_READ))
                os.close(own)
        os.close(pidfd)

    def consumed(self):
        """Records that had left each ring."""
        positions = [struct.unpack("<Q", ring[:8])[0] for ring in self.maps]
        assert all(position % RECORD_BYTES == 0 for position in positions), positions
        return [position // RECORD_BYTES for position in positions]


def start(recorder, archive, arguments, wrapper=()):
    """Starts the load test; returns its process, its own pid and its rings, or None where it died before it recorded."""
    process = subprocess.Popen(
        [*wrapper, recorder, "loadtest", "--archive", archive, "--sign-key", KEY, *OPTIONS, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    lines = []
    for line in process.stderr:
        lines.append(line)
        if line.startswith("recording"):
            try:
                pid = process.pid if not wrapper else only_child(process.pid)
                return process, pid, Rings(pid)
            except (OSError, ValueError):
                break
    process.stderr.read()
    process.wait()
    return process, None, None


def only_child(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return int(file.read())


def query(archive, table, columns, end=""):
    if not glob.glob(f"{archive}/{table}/**/*.parquet", recursive=True):
        return []
    return duckdb.sql(f"SELECT {columns} FROM read_parquet('{archive}/{table}/**/*.parquet') {end}").fetchall()


def recover(recorder, archive, interruptions):
    """Recovers, and is itself killed some times on the way."""
    command = [recorder, "recover", "--archive", archive, "--sign-key", KEY]
    for delay in interruptions:
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        process.kill()
        process.wait()
    return subprocess.run(command, capture_output=True, text=True)


def verification(query_tool, archive):
    command = [query_tool, "verify", "--archive", archive, "--format", "json"]
    # Before the first line there is nothing to sign.
    if os.path.getsize(f"{archive}/manifest.jsonl") > 0:
        command += ["--key", f"{KEY}.pub"]
    done = subprocess.run(command, capture_output=True, text=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    damages = [row for row in rows if row["type"] == "finding" and row["severity"] == "damage"]
    return done.returncode, rows[-1], damages


def problems_of(archive, rings, query_tool, recovered, is_killed):
    """What is not as it must be after a crash."""
    problems = []
    stored = {}
    # What did not fit into a ring never was in it. What did not fit into the journal had left it, and is counted.
    condition = "WHERE kind = 'loss' AND cause IN ('journal_full', 'disk_full') GROUP BY cpu"
    lost = dict(query(archive, "ledger", "cpu, sum(count)::BIGINT", condition))
    for cpu, rows, keys in query(archive, "events", "cpu, count(*), count(DISTINCT seq)", "GROUP BY cpu"):
        stored[cpu] = rows
        if rows != keys:
            problems.append(f"CPU {cpu}: {rows - keys} events twice")
    for cpu, consumed in enumerate(rings.consumed() if rings else []):
        have = stored.get(cpu, 0) + lost.get(cpu, 0)
        if not consumed <= have <= consumed + 1:
            problems.append(f"CPU {cpu}: {consumed} records had left the ring, {have} are stored or counted as lost")
    if is_killed and lost:
        problems.append(f"the journal had no space: {lost}")
    if recovered.returncode != 0:
        problems.append(f"recover ended with {recovered.returncode}: {recovered.stderr}")
    code, summary, damages = verification(query_tool, archive)
    problems.extend(f"verify: {damage}" for damage in damages)
    if is_killed and os.path.getsize(f"{archive}/manifest.jsonl") > 0:
        gaps = query(archive, "ledger", "count(*) FILTER (kind = 'gap' AND count IS NULL AND from_ns <= to_ns)")
        is_sealed = summary["state"] == "SEALED" and code == 0
        if not is_sealed and (summary["state"] != "RECOVERED" or gaps != [(1,)]):
            problems.append(f"state {summary['state']}, gap rows {gaps}")
    left = [name for name in os.listdir(f"{archive}/.journal") if name.endswith((".journal", ".damaged"))]
    if left:
        problems.append(f"left in the journal: {left}")
    return problems, sum(stored.values())


def kill_at_random_moments(recorder, query_tool, count):
    for seed in range(count):
        moment = random.Random(seed)
        with directory() as archive:
            process, pid, rings = start(recorder, archive, ["--rate", "60000", "--duration", "60s"])
            time.sleep(moment.uniform(0.0, 2.5))
            os.kill(pid, signal.SIGKILL)
            process.wait()
            interruptions = [moment.uniform(0, 0.05) for _ in range(moment.choice([0, 0, 1, 3]))]
            recovered = recover(recorder, archive, interruptions)
            problems, stored = problems_of(archive, rings, query_tool, recovered, True)
            yield {"seed": seed, "stored": stored, "recover_killed": len(interruptions), "problems": problems}


def changing_calls(recorder, injection, archive, log):
    """Runs the load test with one fault in its Nth call; returns what start() does."""
    wrapper = ["strace", "-f", "-y", "-o", log, "-e", f"trace={CHANGING_CALLS}", "-e", injection]
    return start(recorder, archive, ["--rate", "2000", "--duration", "1200ms"], wrapper)


def each_call(recorder, query_tool, every, fault):
    """The Nth call of each kind, in each thread, until there is none any more."""
    for call in CHANGING_CALLS.split(","):
        number = 1
        while True:
            injection = f"inject={call}:{fault}:when={number}"
            with directory() as archive, tempfile.NamedTemporaryFile() as log:
                process, pid, rings = changing_calls(recorder, injection, archive, log.name)
                if rings:
                    process.stderr.read()
                    process.wait()
                with open(log.name) as file:
                    hits = [line for line in file if "INJECTED" in line or "+++ killed by SIGKILL" in line]
                if not hits:
                    break
                yield from judge(recorder, query_tool, archive, rings, f"{call} {number}", log.name, fault)
            number += every


def judge(recorder, query_tool, archive, rings, name, log, fault):
    is_killed = fault.startswith("signal")
    with open(log) as file:
        lines = [line.rstrip() for line in file if call_of(line) == name.split()[0]]
    place = re.sub(r"^\d+ +", "", lines[-1])[:160] if lines else ""
    if not os.path.isdir(f"{archive}/.journal"):
        yield {"at": name, "call": place, "stored": 0, "problems": []}
        return
    recovered = recover(recorder, archive, [])
    problems, stored = problems_of(archive, rings, query_tool, recovered, is_killed)
    yield {"at": name, "call": place, "stored": stored, "problems": problems}


def call_of(line):
    match = re.match(r"\d+ +(\w+)\(", line)
    return match.group(1) if match else ""


def directory():
    return tempfile.TemporaryDirectory(prefix="hashtrail-kill-")


def main():
    recorder, query_tool, mode, number = sys.argv[1:]
    subprocess.run([recorder, "keygen", "--out", KEY], check=True, stderr=subprocess.DEVNULL)
    runs = {
        "kill": lambda: kill_at_random_moments(recorder, query_tool, int(number)),
        "calls": lambda: each_call(recorder, query_tool, int(number), "signal=SIGKILL"),
        "errors": lambda: each_call(recorder, query_tool, int(number), "error=EIO"),
    }[mode]()
    is_good = True
    for run in runs:
        print(json.dumps(run), flush=True)
        is_good = is_good and not run["problems"]
    sys.exit(0 if is_good else 1)


main()

"""Sealing a journal, against consumers of the same journal that do less."""

import json
import shutil
import subprocess
import threading
import time

import measure
from table import count, rate, size

COPIES = 4


def sealing(table, trace, rounds):
    """Events a second of one core."""
    events = COPIES * trace.events
    table.section(
        "Sealing, on one CPU",
        f"{count(events)} events of the trace, from journal to sealed files; CPU time, median of {rounds} runs in turns. Both of "
        "the others check each frame too.",
    )
    prepared, archive = trace.work / "sealing-journal", trace.work / "sealing"
    shutil.rmtree(prepared, ignore_errors=True)
    trace.replay(prepared, 1, 0, COPIES)
    segments = sorted((prepared / ".journal").glob("*.journal"))
    lines = trace.work / "sealing.jsonl"

    def seal():
        shutil.rmtree(archive, ignore_errors=True)
        shutil.copytree(prepared, archive)
        return measure.run(trace.recover(archive), cpu=1)

    arms = {
        "seal": seal,
        "count": lambda: measure.run([trace.journal_program, "count", *segments], cpu=1),
        "json": lambda: measure.run([trace.journal_program, "json", *segments], cpu=1, output=lines),
    }
    results = measure.in_turns(arms, rounds)
    per_second = {name: events / measure.median(runs, "cpu_s") for name, runs in results.items()}
    table.ratio("sealing against a consumer that counts", per_second["seal"], per_second["count"], rate, 0.2, True)
    table.ratio("sealing against a writer of JSON lines", per_second["seal"], per_second["json"], rate)
    table.ratio("bytes of the archive against its JSON lines", archive_bytes(archive), lines.stat().st_size, size)
    for place in (prepared, archive):
        shutil.rmtree(place)
    lines.unlink()


def archive_bytes(archive):
    return sum(file.stat().st_size for file in archive.rglob("*.parquet"))


def flood(table, trace, rates, duration_s):
    """Synthetic events through the real rings, for as long as is said, or a note where this kernel refuses the producer."""
    table.section("Flood, with its producer beside it", f"`hashtrail-recorder loadtest`, {duration_s} s each, both CPUs.")
    for per_second in rates:
        archive = trace.work / "flood"
        shutil.rmtree(archive, ignore_errors=True)
        command = [trace.binaries / "hashtrail-recorder", "loadtest", "--archive", archive]
        command += ["--rate", str(per_second), "--duration", f"{duration_s}s"]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        peak = Peak(child.pid)
        output = child.communicate()[0]
        peak.join()
        if child.returncode:
            table.sections[-1][2].clear()
            print("bench: this kernel refuses the producer: no flood", flush=True)
            return
        result = json.loads(output)
        name = f"at {count(per_second)} events a second: "
        table.figure(name + "events dropped", result["dropped"], count, 0)
        table.figure(name + "events stored", result["stored"] / result["seconds"], rate)
        table.figure(name + "memory but the journal's, MB", peak.bytes, size, 96, scale=1e6)
        shutil.rmtree(archive)


class Peak(threading.Thread):
    """The most memory of its own that a process had, looked at twenty times a second; pages of mapped files are not its own."""

    def __init__(self, pid):
        super().__init__()
        self.pid, self.bytes = pid, 0
        self.start()

    def run(self):
        while True:
            try:
                with open(f"/proc/{self.pid}/status") as status:
                    own = [line for line in status if line.startswith("RssAnon")]
            except OSError:
                return
            if not own:
                return
            self.bytes = max(self.bytes, int(own[0].split()[1]) * 1024)
            time.sleep(0.05)

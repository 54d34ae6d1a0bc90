"""Questions against DuckDB on the same files, and how they grow with the archive."""

import pathlib
import sys

import measure
from table import count, seconds, size

DUCK = pathlib.Path(__file__).with_name("duck.py")
PATH = "/usr/bin/dpkg"
ABSENT = "f" * 64
MOST_MEMORY_MB = 256


def arms_of(trace, archive):
    """The commands, by name."""
    hashtrail, tail = trace.binaries / "hashtrail", ["--archive", archive, "--format", "json"]

    def duck(*arguments):
        return lambda: measure.run([sys.executable, DUCK, *arguments])

    def own(*arguments, codes=(0,)):
        return lambda: measure.run([hashtrail, *arguments, *tail], codes=codes)

    return {
        "history": {
            "own": own("history", PATH),
            "DuckDB from the events": duck("history-events", archive, PATH),
            "DuckDB from the index": duck("history-index", archive, PATH),
        },
        "absent": {
            "own": own("lookup", ABSENT, codes=(1,)),
            "DuckDB from the events": duck("digest-events", archive, ABSENT),
            "DuckDB from the index": duck("digest-index", archive, ABSENT),
        },
        "changes": {"own": own("changes"), "DuckDB with suspects": duck("changes", archive)},
        "start": {"DuckDB": duck(), "own": lambda: measure.run([hashtrail, "--version"])},
    }


SAID = {"history": f"history of {PATH}", "absent": "an absent digest", "changes": "changes over all"}
GOALS = {
    ("history", "DuckDB from the events"): 0.25,
    ("history", "DuckDB from the index"): 0.6,
    ("absent", "DuckDB from the events"): 0.25,
    ("changes", "DuckDB with suspects"): 0.5,
}


def queries(table, trace, events, rounds):
    """Asks one archive; returns the seconds that each question took."""
    archive = trace.bulk(events)
    results = {}
    for question, arms in arms_of(trace, archive).items():
        if question == "changes":
            rounds = min(rounds, 3)
        results[question] = measure.in_turns(arms, rounds)
    start = {name: measure.median(runs, "wall_s") for name, runs in results.pop("start").items()}
    table.section(
        f"Questions to {count(events)} events, against DuckDB on the same files",
        f"Time with the start of the process, of which Python with DuckDB takes {start['DuckDB']:.3f} s and `hashtrail` "
        f"{start['own']:.3f} s; warm, median of {rounds} runs and more in turns. What takes {measure.LONGEST_S} s is ended then.",
    )
    for question, runs in results.items():
        own = measure.median(runs["own"], "wall_s")
        for name in runs:
            if name != "own":
                other = measure.median(runs[name], "wall_s")
                table.ratio(f"{SAID[question]}: {name}", own, other, seconds, GOALS.get((question, name)))
        memory = max(run.memory_bytes for run in runs["own"])
        table.figure(f"{SAID[question]}: memory, MB", memory, size, MOST_MEMORY_MB, scale=1e6)
    return {question: measure.median(runs["own"], "wall_s") for question, runs in results.items()}


def growth(table, small, large, smaller, larger):
    """From one archive to one of ten times its events."""
    table.section(f"Growth from {count(small)} to {count(large)} events")
    for question in smaller:
        goal = 2 if question != "changes" else 1.1 * large / small
        table.ratio(SAID[question], larger[question], smaller[question], seconds, goal)

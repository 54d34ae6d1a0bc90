"""Runs commands and says what they took. Times of this machine mean nothing alone: arms are compared in one run, in turns.

Usage, by itself: measure.py CPU OUTPUT COMMAND...
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from types import SimpleNamespace


# What takes longer is ended: its figures then are bounds from below.
LONGEST_S = 120


def run(command, cpu="", output="/dev/null", codes=(0,)):
    """Runs a command, on one CPU where it is given: its seconds of wall and of CPU time, its bytes of memory, whether it was ended.

    The kernel counts the memory of the process that starts another as the other's too, so a small one starts it.
    """
    starter = [sys.executable, "-I", "-S", __file__, cpu, output, *command]
    result = subprocess.run(list(map(str, starter)), capture_output=True, text=True, check=True)
    measured = SimpleNamespace(**json.loads(result.stdout))
    if measured.code not in codes and not measured.was_ended:
        sys.exit(f"bench: `{' '.join(map(str, command))}` ended with {measured.code}: {result.stderr}")
    return measured


def in_turns(arms, rounds):
    """Runs each arm of a round, every other round in the opposite order, so that a drift of the machine meets all alike."""
    results = {name: [] for name in arms}
    for number in range(rounds):
        names = list(arms) if number % 2 == 0 else list(reversed(arms))
        for name in names:
            if not any(result.was_ended for result in results[name]):
                results[name].append(arms[name]())
    return results


def median(results, of):
    """The median of one figure over the runs of an arm."""
    return statistics.median(getattr(result, of) for result in results)


def start(cpu, output, command):
    """What stands between the benchmark and the command: small, and it does nothing but wait."""
    if cpu:
        os.sched_setaffinity(0, {int(cpu)})
    with open(output, "wb") as out:
        began = time.monotonic()
        child = subprocess.Popen(command, stdout=out)
        signal.signal(signal.SIGALRM, lambda *_: os.kill(child.pid, signal.SIGKILL))
        signal.alarm(LONGEST_S)
        _, status, usage = os.wait4(child.pid, 0)
        wall_s = time.monotonic() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    took = {"wall_s": wall_s, "cpu_s": usage.ru_utime + usage.ru_stime, "memory_bytes": usage.ru_maxrss * 1024}
    print(json.dumps({"code": child.returncode, "was_ended": child.returncode == -signal.SIGKILL, **took}))


if __name__ == "__main__":
    start(sys.argv[1], sys.argv[2], sys.argv[3:])

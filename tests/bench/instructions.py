"""What acts cost a task in instructions, in a guest whose clock counts them."""

import os
import subprocess

from table import count

SAID = {
    "library": "open of a library, on another filesystem than the root",
    "root-library": "open of a library, on the root's filesystem",
    "name": "open of a bare name",
    "small": "mapping of a small file",
    "large": "mapping of a file of 2 MB",
    "exec": "exec of a tiny static program",
    "busybox": "exec of busybox, static, 2 MB",
    "dynamic": "exec of a dynamic program, with its loader and library",
}
WHENS = {
    "floor-empty": "a program that does nothing looks at it",
    "floor-path": "a program asks the kernel for its path",
    "mode": "refused by its mode",
    "binary": "refused by a binary that nobody runs",
    "other": "refused by a binary that another process ran",
    "path": "refused by its path",
    "recorded": "recorded",
    "digest": "recorded, digest known",
    "runs": "each run recorded, without digest",
    "checked": "digest at bprm_check_security only, known",
    "default": "the default policy, digests known",
    "merged": "counted, its row merged (`dedupe`) with that of the first",
}
OPENS = ("library", "root-library", "name")
GOALS = {
    **{("mode", act): 1.03 for act in OPENS},
    **{("path", act): 1.06 for act in OPENS},
    **{("recorded", act): 1.8 for act in OPENS},
    ("recorded", "small"): 1.6,
    ("recorded", "large"): 1.6,
    ("digest", "small"): 1.8,
    ("digest", "large"): 1.8,
    ("digest", "exec"): 1.25,
    ("runs", "dynamic"): 1.02,
    ("checked", "dynamic"): 1.04,
    ("checked", "exec"): 1.12,
    ("default", "exec"): 1.25,
    ("default", "busybox"): 1.05,
    ("default", "dynamic"): 1.1,
    **{("merged", act): 1.1 for act in OPENS},
}
# Where IMA measures too, the act without a recorder is dearer.
MEASURED_GOALS = {("default", "dynamic"): 1.06}
# What the kernel itself takes for it. A goal below that is out of reach: the bound then is FLOOR_TIMES what it takes.
FLOORS = {"mode": "floor-empty", "path": "floor-path"}
FLOOR_TIMES = 1.5

PEER_ACTS = {"open": "open", "small": "mapping of a small file", "exec": "exec of a tiny static program"}
PEERS = {"printed": ("bpftrace printing", 0.5), "logged": ("auditd", 0.2)}


def costs_of(root, kernel, scenario, cmdline=""):
    """Runs a scenario of costs in a guest, or takes what it said last where HASHTRAIL_GUEST_REUSE is set, as the tests do.

    The instructions of each act under each condition.
    """
    out = root / f"target/vm/out/{kernel}-{scenario}{cmdline and '-' + cmdline}"
    facts = out / scenario / "facts.tsv"
    if not (os.environ.get("HASHTRAIL_GUEST_REUSE") and facts.exists()):
        command = [root / "tests/vm/run", "--kernel", kernel, "--cmdline", cmdline, "--icount", "--out", out, scenario]
        subprocess.run(command, check=True)
    costs = {}
    for line in facts.read_text().splitlines():
        name, instructions_each = line.split("\t")
        when, act = name.split(" ")
        when = "none" if when == "none-again" else when
        costs[when, act] = min(int(instructions_each), costs.get((when, act), 1 << 62))
    return costs


def instructions(table, root, kernel):
    """The acts of `make cost`, each against the same act without a recorder."""
    table.section(
        f"Instructions of an act on Linux {kernel}",
        "In a guest that counts them, the kernel's part alone; the baseline is the act without a recorder.",
    )
    rows(table, costs_of(root, kernel, "cost"), GOALS)


def programs(table, root, kernel):
    """Runs of programs under policies that people load, also where IMA measures what it has not measured yet."""
    table.section(
        f"Instructions of a run of a program on Linux {kernel}",
        "From its fork to its end, as above; each policy records it once for each of its hooks.",
    )
    rows(table, costs_of(root, kernel, "programs"), GOALS)
    table.section("The same with ima_policy=tcb", "The baseline is measured there too.")
    rows(table, costs_of(root, kernel, "programs", "ima_policy=tcb"), MEASURED_GOALS)


def rows(table, costs, goals):
    """One for each act and condition that was measured."""
    for act in SAID:
        for when in WHENS:
            if (when, act) in costs:
                what = f"{SAID[act]}: {WHENS[when]}"
                table.ratio(what, costs[when, act], costs["none", act], count, goal_of(costs, goals, when, act))


def goal_of(costs, goals, when, act):
    """The goal of a ratio; where the kernel's own part is above it, what is allowed beside that."""
    goal = goals.get((when, act))
    floor = costs.get((FLOORS.get(when), act))
    if goal is None or floor is None or floor <= goal * costs["none", act]:
        return goal
    return round(1 + FLOOR_TIMES * (floor / costs["none", act] - 1), 3)


def peers(table, root, kernel):
    """What a record adds to an act, against what Debian's bpftrace and auditd add in the same boot."""
    costs = costs_of(root, kernel, "peers")
    table.section(
        f"Instructions that are added to an act on Linux {kernel}, against peers in the same boot",
        "Here: recorded with all columns, without a digest. bpftrace prints most of them at the same hooks (tests/vm/programs/peer.bt); "
        "auditd logs the system call. The kernel's part of each alone.",
    )
    for act, said in PEER_ACTS.items():
        added = {when: costs[when, act] - costs["none", act] for when in ("recorded", *PEERS)}
        for peer, (name, goal) in PEERS.items():
            table.ratio(f"{said}: {name}", added["recorded"], added[peer], count, goal)

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
}
# What the kernel itself takes for it. A goal below that is out of reach: the bound then is FLOOR_TIMES what it takes.
FLOORS = {"mode": "floor-empty", "path": "floor-path"}
FLOOR_TIMES = 1.5

PEER_ACTS = {"open": "open", "small": "mapping of a small file", "exec": "exec of a tiny static program"}
PEERS = {"printed": ("bpftrace printing", 0.5), "logged": ("auditd", 0.2)}


def costs_of(root, kernel, scenario):
    """Runs a scenario of costs in a guest, or takes what it said last where HASHTRAIL_GUEST_REUSE is set, as the tests do.

    The instructions of each act under each condition.
    """
    out = root / f"target/vm/out/{kernel}-{scenario}"
    facts = out / scenario / "facts.tsv"
    if not (os.environ.get("HASHTRAIL_GUEST_REUSE") and facts.exists()):
        subprocess.run([root / "tests/vm/run", "--kernel", kernel, "--icount", "--out", out, scenario], check=True)
    costs = {}
    for line in facts.read_text().splitlines():
        name, instructions_each = line.split("\t")
        when, act = name.split(" ")
        when = "none" if when == "none-again" else when
        costs[when, act] = min(int(instructions_each), costs.get((when, act), 1 << 62))
    return costs


def instructions(table, root, kernel):
    """The acts of `make cost`, each against the same act without a recorder."""
    costs = costs_of(root, kernel, "cost")
    table.section(
        f"Instructions of an act on Linux {kernel}",
        "In a guest that counts them, the kernel's part alone; the baseline is the act without a recorder.",
    )
    for act in SAID:
        for when in WHENS:
            if (when, act) in costs:
                what = f"{SAID[act]}: {WHENS[when]}"
                table.ratio(what, costs[when, act], costs["none", act], count, goal_of(costs, when, act))


def goal_of(costs, when, act):
    """The goal of a ratio; where the kernel's own part is above it, what is allowed beside that."""
    goal = GOALS.get((when, act))
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

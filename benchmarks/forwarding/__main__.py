"""What forwarding costs and how long it takes: Twinclass beside other servers.

    .venv/bin/python benchmarks/forwarding [--systems twinclass janus mediasoup ...]
        [--shapes one-to-many audio audio-10 join-storm wall lessons]
        [--sizes 10 50 200 500 1000] [--seconds 8] [--spread-ms 0] [--rounds 1]
        [--storm 500 30] [--reports-per-s 3.7] [--veth] [--write docs/benchmarks]

All run on this machine over its own addresses, one after another for each shape and size, with the
same publisher and the same viewers: real ICE, DTLS-SRTP, receiver reports, REMB and keyframe
requests; their kernel drops the media, so that they cost little, and counts it. Four of them
decrypt and measure (``peers.py``). CPU is the server's whole process tree, with what the kernel
does for it on the way to the viewer's socket.

``twinclass``: a media worker in its default configuration, with the compiled loop when it is built
(``python -m twinclass_media.transport.native.build``); ``twinclass-python``: without it. ``janus``
needs Debian's package of that name and root (``with_janus.py``). ``mediasoup`` needs npm's package
of that name and to be told where it is (``with_mediasoup.py``). ``aiortc`` encodes anew for every
viewer and is asked for ten at most; its cost is a picture's, not a packet's.

``--veth``: over a pair of interfaces that cannot segment UDP (``network.py``; Twinclass only, needs
root). ``--reports-per-s 0.1``: what is left when viewers say next to nothing.

A measurement of 1,000 viewers wants two cores for itself; when the column "load generator" comes
near to what the server leaves, delays are those of a machine that is full.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import report
import with_aiortc
import with_janus
import with_mediasoup
import with_twinclass
from measure import Conditions, Found, measure
from network import LOOPBACK, Network, veth
from peers import REPORTS_PER_S
from shapes import SHAPES
from system import Entry
from tracks import Plan, Storm

ENTRIES = {
    one.name: one
    for one in (
        Entry("twinclass", with_twinclass.native),
        Entry("twinclass-two", with_twinclass.two),
        Entry("twinclass-python", with_twinclass.python),
        Entry("janus", with_janus.started),
        Entry("mediasoup", with_mediasoup.started),
        Entry("aiortc", with_aiortc.started, most_viewers=10, decodes=True),
    )
}


async def run(entry: Entry, plan: Plan, conditions: Conditions) -> Found | None:
    """A measurement; None, with a line that says why, when the system could not do it."""
    found = None
    try:
        with tempfile.TemporaryDirectory() as folder:
            found = await measure(entry, plan, conditions, Path(folder))
    except* OSError as group:
        print(f"{plan.shape} {plan.viewers} {entry.name}: {group.exceptions!r}", flush=True)
    return found


async def compare(
    shape: str, size: int, conditions: Conditions, arguments: argparse.Namespace
) -> list[Found]:
    """All systems, in turn; of several rounds the one with the median cost."""
    plan = SHAPES[shape][0](size)
    if plan.storm is not None:
        plan = dataclasses.replace(plan, storm=Storm(int(arguments.storm[0]), arguments.storm[1]))
    rounds: dict[str, list[Found]] = {}
    for _ in range(arguments.rounds):
        for name in arguments.systems:
            if size > ENTRIES[name].most_viewers:
                continue
            found = await run(ENTRIES[name], plan, conditions)
            if found is not None:
                rounds.setdefault(name, []).append(found)
    middle = statistics.median_low
    return [
        next(one for one in runs if one.cost_us == middle(each.cost_us for each in runs))
        for runs in rounds.values()
    ]


async def main(arguments: argparse.Namespace, network: Network) -> None:
    """Runs what was asked for and prints it as it comes."""
    conditions = Conditions(
        arguments.seconds, arguments.spread_ms / 1000, arguments.reports_per_s, network
    )
    print(report.HEAD, flush=True)
    found: list[Found] = []
    for shape in arguments.shapes:
        for size in arguments.sizes or SHAPES[shape][1]:
            group = await compare(shape, size, conditions, arguments)
            print("\n".join(report.rows(group)), flush=True)
            found += group
            if arguments.write is not None:  # What was run stays, whatever comes after.
                report.write(found, arguments.write, sys.argv[1:])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--systems", nargs="+", default=list(ENTRIES), choices=list(ENTRIES))
    parser.add_argument("--shapes", nargs="+", default=["one-to-many"], choices=list(SHAPES))
    parser.add_argument("--sizes", type=int, nargs="+", help="viewers (default: the shape's own)")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--spread-ms", type=float, default=0.0, help="of each frame, as an uplink")
    parser.add_argument(
        "--storm", type=float, nargs=2, default=(500, 30.0), metavar=("VIEWERS", "SECONDS"),
        help="of join-storm: who comes on top, and in how long",
    )  # fmt: skip
    parser.add_argument("--reports-per-s", type=float, default=REPORTS_PER_S, help="of a viewer")
    parser.add_argument("--veth", action="store_true", help="interfaces that do not segment")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--write", type=Path, help="folder for the table, the chart and the runs")
    chosen = parser.parse_args()
    if chosen.veth and not all(name.startswith("twinclass") for name in chosen.systems):
        parser.error("--veth: other systems listen on addresses of their own")
    with veth() if chosen.veth else contextlib.nullcontext(LOOPBACK) as between:
        asyncio.run(main(chosen, between))

"""Mixed load on a real engine, and whether the server keeps its promises all the while.

    python -m benchmarks.soak [--minutes 30] [--json]

Calls, streams, agent loops with results, clients that leave at random moments, hostile schemas,
and an adapter that is loaded and unloaded while turns of it run; all that is asked is drawn by
seeds. The server is started as users start it, without an adapter. Flags that are not known here
are for it. Exit code 1 if a promise is not kept; what is counted as growth says
`benchmarks/soak/growth.py`.
"""

import argparse
import json
import sys
from contextlib import closing
from dataclasses import asdict
from typing import Any

from benchmarks.attack.target import Target
from benchmarks.soak.promises import Report, soak
from benchmarks.soak.subject import Subject

ADAPTERS = (
    *("--enable-lora", "--max-lora-rank=16", "--lora-target-modules"),
    *("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"),
)
SMALL_CACHE = "--grammar-cache-mb=16"
"""It is full soon: what a larger one takes until then is no leak."""

OUTCOMES = ("whole", "refused", "left", "lost")


def table(report: Report) -> str:
    """For people."""
    lines = [
        f"{report.seconds / 60:g} minutes",
        "",
        f"{'':18}" + "".join(map("{:>10}".format, OUTCOMES)),
    ]
    for kind, counts in sorted(report.tally.counts.items()):
        lines.append(f"{kind:18}" + "".join(f"{counts[outcome]:10,}" for outcome in OUTCOMES))
    lines += ["", f"{'':12}{'':12}{'begin':>10}{'end':>10}{'growth':>10}{'bound':>10}"]
    for one in report.growths:
        figures = (one.begin, one.end, one.growth, one.bound)
        row = "".join(f"{figure:10,.1f}" for figure in figures)
        lines.append(f"{one.role:12}{one.what:12}{row}{'' if one.is_flat else '  !'}")
    lines.append("")
    lines += [f"{' ' if p.kept else '!'} {p.name}: {p.found}" for p in report.promises]
    return "\n".join([*lines, *report.tally.lost])


def as_json(report: Report) -> dict[str, Any]:
    """For machines."""
    return {
        "seconds": report.seconds,
        "requests": {kind: dict(counts) for kind, counts in report.tally.counts.items()},
        "lost": report.tally.lost,
        "growth": [asdict(one) | {"bound": one.bound} for one in report.growths],
        "promises": [asdict(promise) for promise in report.promises],
    }


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options, flags = parser.parse_known_args(argv)
    with closing(Target("sglang", *ADAPTERS, SMALL_CACHE, *flags)) as target:
        subject = Subject(target.url, target.model, target.process.pid, target.log_file)
        report = soak(subject, 60 * options.minutes)
    print(json.dumps(as_json(report)) if options.json else table(report))
    return 0 if report.kept() else 1


if __name__ == "__main__":
    sys.exit(main())

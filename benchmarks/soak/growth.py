"""What the processes of a server hold, and whether it grows.

Growth is how much more a straight line through what was seen has at its end than where it begins.
The line is Theil and Sen's, whose slope is the median of those of all pairs: what is held for a
moment does not tip it. What a server does for the first time is left out, and there are bounds
for what bounded caches and allocators go on to take; they are the same however long it is looked
at, so that a longer look finds a slower leak.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import psutil
from scipy.stats import theilslopes

WARM_UP_SHARE = 1 / 3
MOST_WARM_UP = 300.0
"""What is left out of a look: so much of it, and at most so many seconds."""

BOUNDS = {"megabytes": 24.0, "threads": 2.0, "descriptors": 6.0}
"""How much each may grow in all that is looked at."""

REMEMBERED = 96.0
"""Megabytes that the server may take besides, for what it remembers of prompts and turns until that
is full: 8 million ids of 4 bytes, and 16 million characters of 4 at most (`prompt/encode.py`,
`prompt/recall.py`)."""

ROLES = {
    "sglang::scheduler": "scheduler",
    "sglang::detokenizer": "detokenizer",
    "worker.py": "sandboxes",
}


@dataclass(frozen=True)
class Held:
    """What processes have at one time."""

    megabytes: float = 0.0
    threads: float = 0.0
    descriptors: float = 0.0

    def __add__(self, other: "Held") -> "Held":
        return Held(
            self.megabytes + other.megabytes,
            self.threads + other.threads,
            self.descriptors + other.descriptors,
        )


@dataclass(frozen=True)
class Growth:
    """Of `what` that the processes of one role hold: what it was, what it came to, and how much
    of that is `growth`."""

    role: str
    what: str
    begin: float
    end: float
    growth: float

    @property
    def bound(self) -> float:
        remembers = self.role == "server" and self.what == "megabytes"
        return BOUNDS[self.what] + REMEMBERED * remembers

    @property
    def is_flat(self) -> bool:
        return self.growth <= self.bound


def held(pid: int) -> dict[str, Held]:
    """What the process `pid` and all that it has started hold, by their roles."""
    server = psutil.Process(pid)
    found = {"server": _of(server)}
    for child in server.children(recursive=True):
        try:
            role, holds = _role(child), _of(child)
        except psutil.Error:  # it has just ended
            continue
        found[role] = found.get(role, Held()) + holds
    return found


def _role(process: psutil.Process) -> str:
    command = " ".join(process.cmdline())
    return next((role for mark, role in ROLES.items() if mark in command), "others")


def _of(process: psutil.Process) -> Held:
    with process.oneshot():
        megabytes = process.memory_info().rss / 1e6
        return Held(megabytes, process.num_threads(), process.num_fds())


def growths(times: Sequence[float], seen: Sequence[dict[str, Held]]) -> list[Growth]:
    """What became of all that was `seen` at these `times`, after the warm-up."""
    warm = times[0] + min(MOST_WARM_UP, WARM_UP_SHARE * (times[-1] - times[0]))
    late = [(time, holds) for time, holds in zip(times, seen, strict=True) if time >= warm]
    return [
        _growth(role, what, [(t, getattr(holds.get(role, Held()), what)) for t, holds in late])
        for role in sorted(set().union(*seen))
        for what in BOUNDS
    ]


def _growth(role: str, what: str, points: Sequence[tuple[float, float]]) -> Growth:
    times, values = zip(*points, strict=True)
    slope, intercept, *_ = theilslopes(values, times)
    begin, end = (intercept + slope * time for time in (times[0], times[-1]))
    return Growth(role, what, float(begin), float(end), float(end - begin))

"""What is known of the grammars that SGLang keeps.

They are in its schedulers, which are other processes: each counts in memory that it shares with the
server, in a place of its own.
"""

import multiprocessing
from collections.abc import Iterator
from typing import Any

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

_FIELDS = 4

_TOLD = (
    ("functionary_engine_grammars", "Grammars that the engine keeps.", GaugeMetricFamily),
    ("functionary_engine_grammar_bytes", "What these take, about.", GaugeMetricFamily),
    (
        "functionary_engine_grammar_hits",
        "Requests to the engine whose grammar was among these.",
        CounterMetricFamily,
    ),
    (
        "functionary_engine_grammar_misses",
        "Those whose grammar had to be compiled.",
        CounterMetricFamily,
    ),
)
"""Of each number the name, what it tells and its kind; in the order of `KeptGrammars`."""


class KeptGrammars:
    """By one scheduler: its place in what all of them share."""

    def __init__(self, numbers: Any, begin: int) -> None:
        self._numbers = numbers
        self._begin = begin

    def hold(self, count: int, size: int) -> None:
        """It keeps so many now, of so many bytes."""
        self._numbers[self._begin] = count
        self._numbers[self._begin + 1] = size

    def count(self, *, hit: bool) -> None:
        """One was asked for."""
        self._numbers[self._begin + (2 if hit else 3)] += 1


class Grammars:
    """By so many `schedulers`, to which it is handed when they start."""

    def __init__(self, schedulers: int) -> None:
        self._schedulers = schedulers
        # Without a lock, which would be a file in /dev/shm that two want to remove at the end.
        context = multiprocessing.get_context("spawn")
        self._numbers = context.RawArray("Q", _FIELDS * schedulers)

    def place(self, rank: int) -> KeptGrammars:
        """That of the scheduler of this `rank` among all."""
        return KeptGrammars(self._numbers, _FIELDS * (rank % self._schedulers))

    def metrics(self) -> Iterator[Metric]:
        """Summed over the schedulers, in Prometheus' terms."""
        for field, (name, told, kind) in enumerate(_TOLD):
            yield kind(name, told, value=sum(self._numbers[field::_FIELDS]))


NAMES = frozenset(
    f"{name}_total" if kind is CounterMetricFamily else name for name, _, kind in _TOLD
)
"""Of the series."""

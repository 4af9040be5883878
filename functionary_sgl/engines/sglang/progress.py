"""Whether the engine goes on.

A scheduler whose kernel never returns, or which was stopped, ends nothing and says nothing. So it
counts the batches that it begins, in memory that it shares with the server, and the server looks
whether that number grows while requests wait for it. How long a single batch takes is for the
machine: no clock but this one says that an answer will not come.
"""

import time
from collections.abc import Callable
from typing import Protocol

LOOK_SECONDS = 0.5
"""How often the server looks."""


class Beats(Protocol):
    """A number in shared memory, as multiprocessing has it."""

    value: int


class Progress:
    """Of an engine that counts in `beats`; it hangs when nothing has come for `seconds`."""

    def __init__(
        self, beats: Beats, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.seconds = seconds
        self._beats = beats
        self._clock = clock
        self._seen = 0
        self._still = 0.0
        self._looked = clock()

    def hangs(self, busy: bool) -> bool:
        """Whether it has done nothing for too long, up to now, though it was always `busy`."""
        now, beats = self._clock(), self._beats.value
        # If this process was stopped for a while, the engine perhaps was too.
        passed = min(now - self._looked, 2 * LOOK_SECONDS)
        still = busy and beats == self._seen
        self._still = self._still + passed if still else 0.0
        self._seen, self._looked = beats, now
        return self._still >= self.seconds

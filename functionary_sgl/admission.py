"""Whose turns run now, whose wait for that, and who is sent away.

What waits is let in by caller: first the one of whom the least runs, and among equals the one who
was let in longest ago. So whoever sends two hundred requests has each other caller's go between
them; among those of one caller, and where there are no keys, whoever came first goes first.
"""

import asyncio
import math
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from functionary_sgl.errors import EngineError, ServerBusy

LONGEST_RETRY = 60
"""Seconds; OpenAI's clients heed no `Retry-After` that is longer."""

_WEIGHT = 0.1
"""Of the last turn, in the mean of how long turns take."""

FULL = "The server has as many requests as it can take; send this one again later."


class Place:
    """That of one request, for the `count` turns that answer it, all at once."""

    def __init__(self, admission: "Admission", caller: str, count: int) -> None:
        self.caller = caller
        self.count = count
        self.state: Literal["preparing", "waiting", "running", "left"] = "preparing"
        self.turn: asyncio.Future[None] | None = None
        self.since = 0.0
        self._admission = admission

    async def run(self) -> None:
        """Wait until the turns may run, which they may until the place is left, also once more.
        Raises ServerBusy where others have more right to wait, EngineError where nobody runs any
        more."""
        if self.state != "running":
            await self._admission.run(self)


class Admission:
    """At most `most_running` turns run at once, and `most_waiting` are prepared or wait for that;
    None: any number.

    Whoever comes when all places are taken is sent away at once, unless another caller has more
    that waits: then the last of that one's is.
    """

    def __init__(
        self,
        most_running: int | None = None,
        most_waiting: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.most_running = most_running
        self.most_waiting = most_waiting
        self.running = 0
        self.taken = 0
        self.closed: EngineError | None = None
        self._end: EngineError | None = None
        self._clock = clock
        self._queues: dict[str, deque[Place]] = {}
        self._running_of: Counter[str] = Counter()
        self._let_in: dict[str, int] = {}
        self._times = 0
        self._mean = 0.0

    @property
    def most(self) -> int | None:
        """How many turns there may be, those that run and all others."""
        if self.most_running is None or self.most_waiting is None:
            return None
        return self.most_running + self.most_waiting

    @property
    def waiting(self) -> int:
        """How many turns do not run yet."""
        return self.taken - self.running

    def full(self) -> bool:
        """Whether whoever comes now is sent away."""
        return self.most is not None and self.taken >= self.most

    def check_open(self) -> None:
        """Raises why nobody is let in any more."""
        if self.closed is not None:
            raise self.closed

    def close(self, why: EngineError) -> None:
        """Let nobody in whose request begins from now on."""
        self.closed = self.closed or why

    def give_up(self, why: EngineError) -> None:
        """Close, and end what does not run yet with `why`."""
        self.close(why)
        self._end = self._end or why
        for place in [place for queue in self._queues.values() for place in queue]:
            self._fail(place, why)

    @contextmanager
    def place(self, caller: str, count: int) -> Iterator[Place]:
        """A place for one request, until it is left. Raises ServerBusy if there is none."""
        if self.most is not None and self.taken + count > self.most:
            self._make_room(caller, self.taken + count - self.most)
        place = Place(self, caller, count)
        self.taken += count
        try:
            yield place
        finally:
            self._leave(place)

    async def run(self, place: Place) -> None:
        """As `Place.run`."""
        if self._end is not None:
            raise self._end
        place.turn = asyncio.get_running_loop().create_future()
        place.state = "waiting"
        self._queues.setdefault(place.caller, deque()).append(place)
        # Who comes anew has no more right than who waits already.
        self._let_in.setdefault(place.caller, self._times)
        self._let_in_who_fits()
        await place.turn

    def retry_after(self) -> int:
        """In how many seconds those who wait now will likely run."""
        rounds = (self.waiting + 1) / (self.most_running or 1)
        return min(max(math.ceil(self._mean * rounds), 1), LONGEST_RETRY)

    def _make_room(self, caller: str, needed: int) -> None:
        """Send away the last of whoever waits with most, as long as that is more than `caller`
        would wait with."""
        own = self._waiting_of(caller)
        greedy = max(self._queues, key=self._waiting_of, default=caller)
        last: list[Place] = []
        for place in reversed(self._queues.get(greedy, ())):
            if needed <= 0 or self._waiting_of(greedy) - sum(p.count for p in last) <= own + 1:
                break
            last.append(place)
            needed -= place.count
        busy = ServerBusy(FULL, self.retry_after())
        if needed > 0:
            raise busy
        for place in last:
            self._fail(place, busy)
            self._leave(place)

    def _waiting_of(self, caller: str) -> int:
        return sum(place.count for place in self._queues.get(caller, ()))

    def _let_in_who_fits(self) -> None:
        while self._queues:
            caller = min(
                self._queues, key=lambda name: (self._running_of[name], self._let_in[name])
            )
            place = self._queues[caller][0]
            if self.most_running is not None and self.running + place.count > self.most_running:
                return  # nobody overtakes it
            self._dequeue(place)
            self._times += 1
            self._let_in[caller] = self._times
            self._running_of[caller] += place.count
            self.running += place.count
            place.state, place.since = "running", self._clock()
            assert place.turn is not None
            if not place.turn.done():  # its client may have left just now
                place.turn.set_result(None)

    def _fail(self, place: Place, why: EngineError) -> None:
        self._dequeue(place)
        place.state = "preparing"
        assert place.turn is not None
        if not place.turn.done():
            place.turn.set_exception(why)
            place.turn.exception()  # nobody may come for it

    def _dequeue(self, place: Place) -> None:
        queue = self._queues[place.caller]
        queue.remove(place)
        if not queue:
            del self._queues[place.caller]

    def _leave(self, place: Place) -> None:
        if place.state == "left":
            return
        if place.state == "waiting":
            self._dequeue(place)
        if place.state == "running":
            self.running -= place.count
            self._running_of[place.caller] -= place.count
            took = self._clock() - place.since
            self._mean += (took - self._mean) * (_WEIGHT if self._mean else 1)
        self.taken -= place.count
        place.state = "left"
        if not self._running_of[place.caller] and place.caller not in self._queues:
            del self._running_of[place.caller]
            self._let_in.pop(place.caller, None)
        self._let_in_who_fits()

"""So many in a minute, and no more."""

import math
import time
from collections import deque
from collections.abc import Callable

from functionary_sgl.errors import ServerBusy

SECONDS = 60

MOST = 100_000
"""Of any rate: the time of each is kept for a minute."""


class Rate:
    """`most` in any 60 seconds; None: any number. It may change. `full` and `error` as in Room.

    Those that are refused do not count.
    """

    def __init__(
        self,
        most: int | None,
        full: str,
        error: type[ServerBusy] = ServerBusy,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.most = most
        self._full = full
        self._error = error
        self._clock = clock
        self._times: deque[float] = deque()

    def take(self) -> None:
        """Count one more; ServerBusy, with the seconds after which to try again, if there were too
        many."""
        if self.most is None:
            self._times.clear()
            return
        now = self._lately()
        if len(self._times) >= self.most:
            # The one that has to be a minute ago, for fewer than `most` to be left.
            last = self._times[len(self._times) - self.most]
            raise self._error(self._full.format(most=self.most), math.ceil(last + SECONDS - now))
        self._times.append(now)

    def left(self) -> int | None:
        """How many more there may be now; None: any number."""
        if self.most is None:
            return None
        self._lately()
        return max(0, self.most - len(self._times))

    def seconds_to_reset(self) -> float:
        """Until there may be `most` again, if none comes meanwhile."""
        now = self._lately()
        return self._times[-1] + SECONDS - now if self._times else 0.0

    def _lately(self) -> float:
        """Forget those that are a minute ago; the time now."""
        now = self._clock()
        while self._times and self._times[0] <= now - SECONDS:
            self._times.popleft()
        return now

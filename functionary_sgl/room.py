"""Room for so much at once, and no more."""

from collections.abc import Iterator
from contextlib import contextmanager

from functionary_sgl.errors import ServerBusy


class Room:
    """`most`: what fits; None: anything. It may change, and who has room keeps it. `full`: what
    whoever finds no room is told, in an `error`; `{most}` in it stands for what fits."""

    def __init__(self, most: int | None, full: str, error: type[ServerBusy] = ServerBusy) -> None:
        self.most = most
        self.taken = 0
        self._full = full
        self._error = error

    def take(self, count: int) -> None:
        """Take room for `count` more; ServerBusy if there is none."""
        if self.most is not None and self.taken + count > self.most:
            raise self._error(self._full.format(most=self.most))
        self.taken += count

    def give_back(self, count: int) -> None:
        """Leave it to others."""
        self.taken -= count

    @contextmanager
    def taking(self, count: int) -> Iterator[None]:
        """Room for `count`, until it is left; ServerBusy if there is none."""
        self.take(count)
        try:
            yield
        finally:
            self.give_back(count)

"""How much work it is to write a grammar, counted and not timed: it is done in the server's own
process, and its bound is the same on each machine."""

from collections.abc import Sequence

from functionary_sgl.errors import InvalidSchema
from functionary_sgl.grammars.alternatives import Part

MOST = 600_000
"""For one grammar, in units of about a microsecond."""

_OF_A_TYPE = {"number": 100, "string": 20, "array": 20, "object": 100}
_OF_A_MEMBER = 40
_OF_A_VALUE = 2
_CHARACTERS = 4
"""Of a listed value, for one unit."""


class Work:
    """What is left of it."""

    def __init__(self) -> None:
        self._left = MOST

    def spend(self, type_: str, parts: Sequence[Part]) -> None:
        """For values of `type_` that satisfy all `parts`. Raises InvalidSchema if that is too
        much."""
        self._left -= _OF_A_TYPE.get(type_, 1) + sum(map(_of, parts))
        if self._left < 0:
            raise InvalidSchema("Its grammar is too large.")


def _of(part: Part) -> int:
    members = sum(len(part.get(key, ())) for key in ("properties", "required", "prefixItems"))
    values = part.get("enum", ())
    characters = sum(len(value) for value in values if isinstance(value, str))
    return _OF_A_MEMBER * members + _OF_A_VALUE * len(values) + characters // _CHARACTERS

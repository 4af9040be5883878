"""What was looked at, and whether it will do."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from functionary_sgl.errors import FunctionaryError


@dataclass(frozen=True, slots=True)
class Finding:
    """`what` was looked at and what it is, in words. `verdict`: `ok`, `note` for what may surprise
    somebody, `wrong` for what keeps the server from working; these two say what to do."""

    verdict: Literal["ok", "note", "wrong"]
    what: str
    told: str


def tried(what: str, look: Callable[[], str]) -> Finding:
    """What `look` tells, or the error that it ends with."""
    try:
        return Finding("ok", what, look())
    except FunctionaryError as error:
        return Finding("wrong", what, " ".join(str(error).splitlines()))


def size(count: float) -> str:
    """Bytes, for people."""
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"

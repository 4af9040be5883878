"""JSON pointers (RFC 6901)."""

import re
from collections.abc import Iterator
from typing import Any

# Of a list; no list of a schema has more members than nine digits count.
_INDEX = re.compile("0|[1-9][0-9]{0,8}")


def escaped(step: str | int) -> str:
    """One step of a pointer."""
    return str(step).replace("~", "~0").replace("/", "~1")


def steps(pointer: str) -> Iterator[str]:
    """What the steps of `pointer` name."""
    for step in pointer.split("/")[1:]:
        yield step.replace("~1", "/").replace("~0", "~")


def value_at(root: Any, pointer: str) -> Any:
    """What `pointer` points at in `root`. Raises LookupError if that is nothing."""
    value = root
    for step in steps(pointer):
        if isinstance(value, list) and _INDEX.fullmatch(step):
            value = value[int(step)]
        elif isinstance(value, dict):
            value = value[step]
        else:
            raise LookupError(pointer)
    return value


def canonical(pointer: str) -> str:
    """The one spelling of `pointer`."""
    return "".join(f"/{escaped(step)}" for step in steps(pointer))

"""JSON that clients wrote, as values, and the other way round.

A request holds more JSON than its body: arguments of former calls are text with JSON in it. It is
read by the parser that reads bodies, which is bounded in itself: it takes no more than 200 levels
and integers of 4,300 digits, and no lone surrogates, which no tokenizer takes. Python's own raises
RecursionError where its stack ends, wherever that may be, and lets surrogates through.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from pydantic_core import from_json

from functionary_sgl.errors import InvalidSchema
from functionary_sgl.schemas.pointers import escaped

# What a number that no double holds has in its text: an exponent of three digits, or 309 digits,
# which are looked for at the first of a row only. It begins with a digit: letters are too many.
_MAY_OVERFLOW = re.compile(r"[0-9](?:[eE][+]?[0-9]{3}|(?<![0-9][0-9])[0-9]{308})")


def parsed(text: str) -> Any:
    """The value of the JSON `text`.

    Raises ValueError for what is no JSON, what no body may hold either, and numbers that would
    become another (infinite).
    """
    value = from_json(text, allow_inf_nan=False)
    if _MAY_OVERFLOW.search(text) and next(_infinities(value), None) is not None:
        raise ValueError("a number is too large")
    return value


def written(schema: Any) -> str:
    """The JSON text of `schema`, which came with a body.

    Raises InvalidSchema, `param` being a pointer, for NaN and infinity: they are no JSON, though
    the parser of bodies takes them, and makes infinity of what is too large.
    """
    try:
        return json.dumps(schema, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        pointer = next(_infinities(schema))
        raise InvalidSchema("A number is too large, or none.", param=pointer) from error


def _infinities(value: Any) -> Iterator[str]:
    """Pointers to the floats in `value` that are not finite. Does not recurse."""
    left = [("", value)]
    while left:
        pointer, node = left.pop()
        if isinstance(node, dict):
            left += [(f"{pointer}/{escaped(key)}", below) for key, below in node.items()]
        elif isinstance(node, list):
            left += [(f"{pointer}/{index}", below) for index, below in enumerate(node)]
        elif isinstance(node, float) and not math.isfinite(node):
            yield pointer

"""How many schemas apply to one value at once, references followed.

References that lead back to where they started without going into the value would never end, and
a few dozen that each apply two others would take longer than anybody waits.
"""

from typing import Any

from functionary_sgl.errors import InvalidSchema
from functionary_sgl.schemas import keywords
from functionary_sgl.schemas.bounds import MAX_EXPANSION

_MAX_CHAIN = 100
_PREFIX = "#/$defs/"


def check_expansion(whole: dict[str, Any]) -> None:
    """Raise InvalidSchema if `whole`, as `enforceable` gives it, has references without end or
    applies more than MAX_EXPANSION schemas to one value."""
    sizes: dict[str, int] = {}
    definitions = whole.get("$defs", {})
    for name in definitions:
        _definition(name, definitions, sizes, 0)
    _size(whole, definitions, sizes, 0)


def _definition(name: str, definitions: dict[str, Any], sizes: dict[str, int], depth: int) -> int:
    if name not in sizes:
        sizes[name] = 0  # under way
        sizes[name] = _size(definitions[name], definitions, sizes, depth)
    elif sizes[name] == 0:
        raise InvalidSchema("A '$ref' leads back to itself without describing a part of the value.")
    return sizes[name]


def _size(schema: Any, definitions: dict[str, Any], sizes: dict[str, int], depth: int) -> int:
    if not isinstance(schema, dict):
        return 1
    if depth > _MAX_CHAIN:
        raise InvalidSchema(f"More than {_MAX_CHAIN} schemas refer to one another in a chain.")
    size = 1
    if "$ref" in schema:
        size += _definition(schema["$ref"].removeprefix(_PREFIX), definitions, sizes, depth + 1)
    for keyword in keywords.IN_PLACE:
        below = schema.get(keyword, [])
        if isinstance(below, dict):
            below = list(below.values()) if keyword == "dependentSchemas" else [below]
        if isinstance(below, list):
            size += sum(_size(member, definitions, sizes, depth + 1) for member in below)
    if size > MAX_EXPANSION:
        raise InvalidSchema(f"More than {MAX_EXPANSION} schemas apply to one value.")
    return size

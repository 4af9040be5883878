"""Bounds of schemas, in one place. They are looked at before anything recursive or costly."""

from typing import Any

from functionary_sgl.errors import InvalidSchema

MAX_BYTES = 256 * 1024
"""Of one schema's JSON."""

MAX_REQUEST_BYTES = 1024 * 1024
"""Of all schemas of a request together."""

MAX_DEPTH = 64
MAX_NODES = 20_000
MAX_SCHEMAS = 5_000
"""In one schema. Far fewer make a grammar that takes too long, unless they are trivial."""

MAX_EXPANSION = 1_000
"""Schemas that apply to one value at once, references followed."""

MAX_MULTIPLE = 10_000
"""The grammar for `multipleOf` has a state for each remainder (0.25 counts as 25)."""

MAX_ALTERNATIVES = 16
"""That conditions make, each with each. A grammar for 32 can take half a second."""

MAX_PATTERN_PROPERTIES = 4
"""Grammars have a kind of key for each combination of them."""


def check_size(size: int) -> None:
    """Raise InvalidSchema for a schema of `size` bytes if that is too many."""
    if size > MAX_BYTES:
        raise InvalidSchema(f"The schema has {size} bytes; at most {MAX_BYTES} are taken.")


def check_shape(schema: Any) -> None:
    """Raise InvalidSchema if `schema` is too deep or has too many parts. Does not recurse."""
    level, nodes = [schema], 0
    for _ in range(MAX_DEPTH + 1):
        nodes += len(level)
        if nodes > MAX_NODES:
            raise InvalidSchema(f"The schema has more than {MAX_NODES} parts.")
        children: list[Any] = []
        for node in level:
            if isinstance(node, dict):
                children += node.values()
            elif isinstance(node, list):
                children += node
        if not children:
            return
        level = children
    raise InvalidSchema(f"The schema is nested deeper than {MAX_DEPTH} levels.")

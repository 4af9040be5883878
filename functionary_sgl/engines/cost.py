"""What llguidance does not bound by itself: grammars that none of its limits stops in time.

Each pattern more that a string has to match at once doubles the work, a multiple takes a state for
each remainder, and an object's optional properties are compared in pairs.
"""

import json
from collections.abc import Iterator
from math import prod
from typing import Any, NamedTuple

from functionary_sgl.engines.base import Constraint

MAX_PATTERNS = 10
"""That one value has to match at once; with 17 a grammar can take a second."""

MAX_MULTIPLE = 10_000
"""Of what one value has to be a multiple of, all factors together (0.25 counts as 25)."""

MAX_MULTIPLES = 50_000
"""The sum of these in one grammar; 10,000 take about 40 ms."""

MAX_OPTIONAL = 1_250
"""Properties of one object that may be left out; a quarter of a second."""

MAX_LITERAL = 10_000
"""Characters of one name, value or pattern: what is forced is looked at anew for each token."""

_DEFINITIONS = "#/$defs/"


def excess(constraint: Constraint) -> str | None:
    """What `constraint` has too much of, or None. Depends on nothing else."""
    if constraint.kind != "json_schema":
        return None
    root = json.loads(constraint.source)
    definitions = root.get("$defs", {})
    known: dict[str, _AtOnce] = {}
    multiples = set()
    for schema in (inner for one in (root, *definitions.values()) for inner in _schemas(one)):
        optional = len(schema.get("properties", ())) - len(schema.get("required", ()))
        if optional > MAX_OPTIONAL:
            return f"an object has more than {MAX_OPTIONAL} optional properties"
        if any(len(text) > MAX_LITERAL for text in _literals(schema)):
            return f"a name, value or pattern has more than {MAX_LITERAL} characters"
        at_once = _at_once(schema, definitions, known)
        if at_once.patterns > MAX_PATTERNS:
            return f"more than {MAX_PATTERNS} patterns apply to one value"
        if at_once.multiple > MAX_MULTIPLE:
            return f"a value must be a multiple of more than {MAX_MULTIPLE}"
        multiples.add(at_once.multiple)
    if sum(multiples) > MAX_MULTIPLES:
        return f"its multiples are more than {MAX_MULTIPLES} together"
    return None


class _AtOnce(NamedTuple):
    """How many patterns apply to a value at once, and what all of it is a multiple of."""

    patterns: int
    multiple: int


_NOTHING = _AtOnce(0, 1)


def _at_once(schema: Any, definitions: dict[str, Any], known: dict[str, _AtOnce]) -> _AtOnce:
    """Of what `schema` says in place."""
    if not isinstance(schema, dict):
        return _NOTHING
    all_of = [_at_once(one, definitions, known) for one in schema.get("allOf", ())]
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_DEFINITIONS)
        if name not in known:
            known[name] = _NOTHING
            known[name] = _at_once(definitions.get(name), definitions, known)
        all_of.append(known[name])
    for keyword in ("anyOf", "oneOf"):
        branches = [_at_once(one, definitions, known) for one in schema.get(keyword, ())]
        if branches:
            patterns, multiples = zip(*branches, strict=True)
            all_of.append(_AtOnce(max(patterns), max(multiples)))
    return _AtOnce(
        ("pattern" in schema) + sum(one.patterns for one in all_of),
        _scaled(schema.get("multipleOf", 1)) * prod(one.multiple for one in all_of),
    )


def _literals(schema: dict[str, Any]) -> Iterator[str]:
    """The names, values and patterns that `schema` itself says, inner ones too."""
    left = [schema.get("const"), schema.get("pattern"), *schema.get("enum", ())]
    for keyword in ("required", "properties", "patternProperties"):
        left += schema.get(keyword, ())
    while left:
        value = left.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            left += value
        elif isinstance(value, dict):
            left += [*value, *value.values()]


def _scaled(multiple: float) -> int:
    """`multiple` without its point."""
    digits = f"{multiple:.9f}".rstrip("0").replace(".", "")
    return int(digits) or 1


def _schemas(schema: Any) -> Iterator[dict[str, Any]]:
    """`schema` and all that are in it, but for its definitions."""
    if not isinstance(schema, dict):
        return
    yield schema
    below = [schema.get(keyword) for keyword in ("items", "additionalProperties")]
    for keyword in ("properties", "patternProperties"):
        below += schema.get(keyword, {}).values()
    for keyword in ("prefixItems", "allOf", "anyOf", "oneOf"):
        below += schema.get(keyword, ())
    for one in below:
        yield from _schemas(one)

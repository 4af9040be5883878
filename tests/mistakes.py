"""Mistakes of clients: values of a wrong kind, put at any place of something valid.

JSON that Python cannot hold, or would not write, stands in a value as one of the keys of `SPELLED`
and is spelled out by `written`.
"""

import json
from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

from functionary_sgl.schemas import keywords

Path = tuple[str | int, ...]

SPELLED = {
    "@nan@": "NaN",
    "@infinity@": "-Infinity",
    "@1e999@": "1e999",
    "@digits@": "1" * 5_000,
    "@list@": "[" * 1_000 + "]" * 1_000,
    "@object@": '{"a":' * 1_000 + "1" + "}" * 1_000,
    "@deeper@": "[" * 100_000 + "]" * 100_000,
    "@surrogate@": '"\\ud800"',
    "@key@": '{"\\udfff": 1}',
}

# What both the request's parser and Python take.
PLAIN: tuple[Any, ...] = (
    *(True, False, None, 0, -1, 1.5, 1e300, 10**400, -(2**63), "", "x", "\0", "\ufdd0", "é🙂" * 40),
    *([], [[]], [None], [{}], [1, "a", {"b": []}], {}, {"": {}}, {"a": {"b": [None]}}),
    *([["x"]] * 2, {"$ref": "#"}, {"$ref": 1}, {"type": ["string", "null"]}, {"not": {}}),
)
WRONG: tuple[Any, ...] = (*PLAIN, *SPELLED)

# Those of drafts 3 to 2020-12, of OpenAPI and of llguidance.
KEYWORDS = (
    *sorted(keywords.VALIDATED),
    *("nullable", "$defs", "definitions", "$anchor", "$dynamicAnchor", "$recursiveAnchor"),
    *("$id", "id", "$schema", "$vocabulary", "$comment", "title", "description"),
    *("default", "examples", "example", "deprecated", "readOnly", "writeOnly", "contentEncoding"),
    *("contentMediaType", "contentSchema", "extends", "disallow", "divisibleBy", "discriminator"),
    *("xml", "externalDocs", "x-guidance"),
)


def written(value: Any) -> str:
    """`value` as JSON, or as what its sender took for that."""
    text = json.dumps(value, ensure_ascii=False)
    for name, spelling in SPELLED.items():
        text = text.replace(f'"{name}"', spelling)
    return text


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of all parts of `value`, its own included."""
    yield path
    if isinstance(value, dict | list):
        steps = value if isinstance(value, dict) else range(len(value))
        for step in steps:
            yield from places(value[step], (*path, step))


def put(value: Any, path: Path, wrong: Any) -> Any:
    """A copy of `value` with `wrong` at `path`."""
    if not path:
        return deepcopy(wrong)
    copy = deepcopy(value)
    holder = copy
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = deepcopy(wrong)
    return copy


@st.composite
def with_mistakes(
    draw: st.DrawFn, valid: Sequence[Any], wrong: Sequence[Any] = WRONG, most: int = 2
) -> Any:
    """One of `valid` with up to `most` mistakes, its own root staying what it is."""
    value = draw(st.sampled_from(valid))
    for _ in range(draw(st.integers(1, most))):
        place = draw(st.sampled_from([place for place in places(value) if place] or [()]))
        if place:
            mistake = st.dictionaries(st.sampled_from(KEYWORDS), st.sampled_from(wrong), max_size=2)
            value = put(value, place, draw(st.sampled_from(wrong) | mistake))
    return value

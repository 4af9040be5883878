"""Counting values of a JSON text while it comes in."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from functionary_sgl.api.json_size import JSONSize

TEXTS = st.text(st.sampled_from('"\\,:[]{} aé\n'), max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


def marks(value: Any) -> int:
    """Commas, colons and opening brackets of its JSON."""
    if isinstance(value, list):
        return 1 + max(0, len(value) - 1) + sum(map(marks, value))
    if isinstance(value, dict):
        return 1 + max(0, len(value) - 1) + len(value) + sum(map(marks, value.values()))
    return 0


@given(VALUES, st.lists(st.integers(0, 5)), st.booleans())
def test_it_does_not_matter_how_the_text_is_cut(value: Any, cuts: list[int], ascii: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii).encode()
    counter = JSONSize()
    for size in cuts:
        counter.feed(text[:size])
        text = text[size:]
    counter.feed(text)
    assert counter.values == marks(value)


@given(VALUES)
def test_no_value_is_missed(value: Any) -> None:
    """Each but the first stands behind a mark; an empty list has one too."""

    def count(value: Any) -> int:
        if isinstance(value, list | dict):
            inner = value.values() if isinstance(value, dict) else value
            return 1 + sum(map(count, inner))
        return 1

    assert marks(value) + 1 >= count(value)

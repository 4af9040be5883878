"""Programs as readers: what they would write is read, and nothing else."""

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from functionary_sgl.chat.schema import ANY_ARGUMENTS
from functionary_sgl.runtime.reading import read
from functionary_sgl.turns import FORMATS, Offer
from tests.formats import OPENED, possible, written
from tests.replay import NAMES, arguments, payloads

calls = st.lists(st.tuples(st.sampled_from(NAMES), arguments), max_size=3)


def ended(format: str, content: str | None, calls: list[tuple[str, str]]) -> str:
    """A turn with the token that ends it; v1 has one for calls."""
    ends = FORMATS[format].stop_tokens
    return (
        OPENED.get(format, "")
        + written(format, content, calls)
        + ends[format == "v1" and bool(calls)]
    )


def read_as(format: str, turn: str) -> Any:
    known = FORMATS[format]
    offer = Offer(dict.fromkeys(NAMES, ANY_ARGUMENTS), reasoning=known.reasons)
    return read(known.program, offer, turn, known.stop_tokens)


@pytest.mark.parametrize("format", FORMATS)
@given(content=st.none() | payloads, calls=calls)
def test_a_turn_is_read_as_it_was_written(
    format: str, content: str | None, calls: list[tuple[str, str]]
) -> None:
    if not FORMATS[format].many_calls:
        calls = calls[:1]
        content = None if calls else content
    content, calls = possible(format, content, calls)
    assume(content or calls)
    said = read_as(format, ended(format, content, calls))
    assert said is not None
    assert said.content.strip() == (content or "").strip()
    assert [(name, json.loads(text)) for name, text in said.calls] == [
        (name, json.loads(text)) for name, text in calls
    ]


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_not_on_offer_is_not_read_as_a_call(format: str) -> None:
    said = read_as(format, ended(format, None, [("unknown", "{}")]))
    assert said is None or not said.calls


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_may_follow_the_end(format: str) -> None:
    turn = ended(format, None, [("now", "{}")])
    assert read_as(format, turn) is not None
    assert read_as(format, turn + "more") is None

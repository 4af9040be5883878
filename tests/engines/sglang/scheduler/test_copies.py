"""Where in a call an answer is, and how the prompt goes on from there."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functionary_sgl.engines.sglang.scheduler.drafts.copies import Copy, again, copies, value


@pytest.mark.parametrize(
    ("text", "begun"),
    [
        ('{"city": "New Y', "New Y"),
        ('{"city": "', ""),
        ('{"city": "Rome", "days": 1', "1"),
        ('{"days": [1, -2.5', "-2.5"),
        ('{"days": ', ""),
        ('{"is_new": true', "true"),
        ('{"city": "Rome"', None),
        ("get_weather", None),
        ("", None),
        ('say "\n{"city": "Ro', "Ro"),
    ],
)
def test_how_far_a_value_is_written(text: str, begun: str | None) -> None:
    assert value(text.encode()) == (None if begun is None else begun.encode())


@pytest.mark.parametrize(
    ("source", "begun", "found"),
    [
        ("to Paris, then", "Par", Copy(b"is", 1, True)),
        ("to Paris?", "Par", Copy(b"is", 1, False)),
        ("for New York City and", "New", Copy(b" York City", 3, False)),
        ("mail ada@example.org.", "ada", Copy(b"@example.org", 1, False)),
        ('the "blue" one', "bl", Copy(b"ue", 1, False)),
        ("Rome", "Rome", Copy(b"", 1, False)),
        ("5,000 or 50", "5", Copy(b"0", 1, False)),
    ],
)
def test_a_word_goes_on_as_in_the_prompt(source: str, begun: str, found: Copy) -> None:
    assert next(copies(source.encode(), begun.encode())) == found


def test_the_last_place_comes_first_and_words_begin_there() -> None:
    texts = [copy.text for copy in copies(b"Roma, Rome or Romulus, aRomb", b"Rom")]
    assert texts == [b"ulus", b"e", b"a"]


def test_a_key_has_its_value_again() -> None:
    source = b'{"days": 3, "city": "Rome"} {"city": "Oslo"}'
    assert again(source, b'{"city": "') == b"Oslo"
    assert again(source, b'{"town": "') == b""


@given(st.binary(max_size=60), st.binary(max_size=20))
def test_any_bytes_can_be_read(source: bytes, text: bytes) -> None:
    for copy in copies(source, text or b"a"):
        assert (text or b"a")[-40:] + copy.text in source
    assert again(source, text) in source
    value(text)


@given(text=st.text('\\"a/', max_size=12), closed=st.booleans())
def test_what_is_escaped_ends_no_string(text: str, closed: bool) -> None:
    said = json.dumps({"key": text}).encode()
    inside = said.removesuffix(b'"}')
    assert value(said if closed else inside) == (None if closed else inside.partition(b'": "')[2])

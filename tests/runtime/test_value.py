"""A JSON value ends arguments, a stop string broken ones, and a stop in a string is text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functionary_sgl.runtime.value import ValueMatcher
from tests.replay import arguments
from tests.runtime.test_text import cut, cuts

STOPS = [">>>now\n", "</function>", "\n```"]


def told(text: str, sizes: list[int]) -> tuple[str, str | None]:
    matcher, told = ValueMatcher(STOPS), ""
    for part in cut(text, sizes):
        told += matcher.feed(part)
        if matcher.ended:
            break
    told += matcher.close()
    assert matcher.passed == len(told)
    return told, matcher.matched


@given(st.sampled_from(["", " ", "\n"]), arguments, st.text(), cuts)
def test_a_value_ends_with_its_last_character(
    before: str, value: str, after: str, sizes: list[int]
) -> None:
    assert told(before + value + after, sizes) == (before + value, None)


@given(st.lists(st.sampled_from([*'{}[]",:\\ \nab', *STOPS]), max_size=40).map("".join), cuts)
def test_the_end_is_the_same_for_every_cut(text: str, sizes: list[int]) -> None:
    before, matched = told(text, sizes)
    assert (before, matched) == told(text, [])
    assert text.startswith(before + (matched or ""))


@pytest.mark.parametrize(
    ("text", "before", "matched"),
    [
        # Balanced, though no JSON.
        ("{'a': 1}</function>", "{'a': 1}", None),
        ('{"a": 1,}</function>', '{"a": 1,}', None),
        ('{"a": "x\ny"}</function>', '{"a": "x\ny"}', None),
        ('"{\\"a\\": 1}"</function>', '"{\\"a\\": 1}"', None),
        # Not balanced.
        ('{"a": 1</function>', '{"a": 1', "</function>"),
        ('{"a": [1}</function>', '{"a": [1}', "</function>"),
        ("Rome</function>{}", "Rome", "</function>"),
        ("}{}>>>now\n{}", "}{}", ">>>now\n"),
        ("", "", None),
        ("</function>", "", "</function>"),
        # A stop in a string, and in what looks like one.
        ('{"a": "</function>"}</function>', '{"a": "</function>"}', None),
        (
            '{"</function>" : {"b": "</function>\\""}}',
            '{"</function>" : {"b": "</function>\\""}}',
            None,
        ),
        ('"</function>"', '"</function>"', None),
        ('{"a": "Rome}</function>', '{"a": "Rome}', "</function>"),
        ('{"a": "Rome}</function>, "b": 1}', '{"a": "Rome}', "</function>"),
        ('{"a": "Rome}>>>now\n{"a": "Paris"}', '{"a": "Rome}', ">>>now\n"),
        ('{"a": "</function>", "b": </function>', '{"a": "</function>", "b": ', "</function>"),
        ('{"a": "</function>" ', '{"a": "', "</function>"),
        ('{"a": "Rome', '{"a": "Rome', None),
    ],
)
def test_where_arguments_end(text: str, before: str, matched: str | None) -> None:
    assert told(text, []) == (before, matched)


def test_nothing_is_held_back_without_need() -> None:
    matcher = ValueMatcher(STOPS)
    assert matcher.feed('{"a": "b') == '{"a": "b'
    assert matcher.feed("</function>c") == ""
    assert matcher.feed('"') == ""
    assert matcher.feed(",") == '</function>c",'
    assert json.loads('{"a": "b</function>c"}')

"""Stops and trimming do not depend on how a text is cut."""

import json

from hypothesis import given
from hypothesis import strategies as st

from functionary_sgl.runtime.text import JSONString, StopMatcher, Trimmer

letters = st.text(alphabet="ab> \n", max_size=30)
stops = st.lists(st.text(alphabet="ab>\n", min_size=1, max_size=4), max_size=4)
cuts = st.lists(st.integers(1, 5))


def cut(text: str, sizes: list[int]) -> list[str]:
    parts = []
    for size in sizes:
        parts.append(text[:size])
        text = text[size:]
    return [*parts, text]


def told(matcher: StopMatcher, parts: list[str]) -> str:
    text = ""
    for part in parts:
        text += matcher.feed(part)
        if matcher.matched is not None:
            return text
    return text + matcher.close()


@given(letters, stops, cuts)
def test_a_match_is_the_same_for_every_cut(text: str, stops: list[str], sizes: list[int]) -> None:
    whole, pieces = StopMatcher(stops), StopMatcher(stops)
    assert told(whole, [text]) == told(pieces, cut(text, sizes))
    assert whole.matched == pieces.matched
    assert whole.passed == pieces.passed


@given(letters, stops)
def test_the_stop_that_is_complete_first_wins(text: str, stops: list[str]) -> None:
    matcher = StopMatcher(stops)
    before = told(matcher, list(text))
    if matcher.matched is None:
        assert before == text
        assert not any(stop in text for stop in stops)
    else:
        end = len(before) + len(matcher.matched)
        assert text[:end] == before + matcher.matched
        assert not any(stop in text[: end - 1] for stop in stops)


def test_a_text_that_only_begins_like_a_stop_is_told_as_soon_as_that_is_certain() -> None:
    matcher = StopMatcher([">>>now\n"])
    assert matcher.feed("a >>") == "a "
    assert matcher.feed("> x") == ">>> x"
    assert matcher.matched is None


@given(letters, cuts)
def test_trimming_equals_strip_for_every_cut(text: str, sizes: list[int]) -> None:
    trimmer = Trimmer()
    assert "".join(map(trimmer.feed, cut(text, sizes))) == text.strip()


@given(st.text(st.characters(exclude_categories=["Cs"])), st.booleans(), cuts)
def test_a_json_string_says_what_it_stands_for(text: str, ascii: bool, sizes: list[int]) -> None:
    string, source = JSONString(), " " + json.dumps(text, ensure_ascii=ascii) + '}, "more"'
    assert "".join(string.feed(part) for part in cut(source, sizes)) == text


def test_half_of_a_surrogate_pair_is_replaced() -> None:
    string = JSONString()
    assert string.feed(r'"a\ud83d') == "a"
    assert string.feed(r'\ud83d\ude00\udc00"') == "\ufffd\U0001f600\ufffd"

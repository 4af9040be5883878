"""Arguments in Python as JSON, whatever their text is cut into."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functionary_sgl.runtime.keywords import Keywords
from tests.calls import python_literal

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("ab,)('\"\\[]{}=: \n", max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
objects = st.dictionaries(st.from_regex(r"[a-z_é]{1,3}", fullmatch=True), values, max_size=4)


def told(text: str, size: int, *, strict: bool) -> tuple[str, int]:
    reader = Keywords(strict=strict)
    said = [reader.feed(text[place : place + size]) for place in range(0, len(text), size)]
    assert reader.ended
    return "".join(said), reader.passed


def call(values: dict[str, Any]) -> str:
    return ", ".join(f"{key}={python_literal(value)}" for key, value in values.items()) + ")"


@pytest.mark.parametrize("strict", [True, False])
@given(objects, st.integers(1, 9))
def test_literals_are_told_as_json(strict: bool, values: dict[str, Any], size: int) -> None:
    text = call(values)
    said, passed = told(text + "] more", size, strict=strict)
    assert json.loads(said) == values
    assert passed == len(text)


def test_what_is_known_is_told_at_once() -> None:
    reader = Keywords(strict=True)
    assert reader.feed("city='Ro") == '{"city": "Ro'
    assert reader.feed('me "') == 'me \\"'
    assert reader.feed("', on=Tr") == '", "on": '
    assert reader.feed("ue") == ""
    assert reader.feed(", l=[1") == 'true, "l": ['
    assert reader.feed(", {'a") == '1, {"a'
    assert reader.feed("': None}])") == '": null}]}'
    assert reader.ended


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"'\x41\101\/\a'", "A\\101\\/\a"),
        (r"'\ud83d\ude42'", "🙂"),
        (r"'\ud83d'", "\ufffd"),
        (r"'\ud83d\x41'", "\ufffdA"),
        (r"'\ude42'", "\ufffd"),
        (r"'\xzz'", "\\xzz"),
        ("'a\nb'", "a\nb"),
        ("(1, 'a')", [1, "a"]),
        ("true", True),
        ("null", None),
        ("Rome", "Rome"),
        ("New York", "New York"),
        ("'it's here'", "it's here"),
        ("NaN", "NaN"),
        ("+1", "+1"),
        ("[1, oops]", "[1, oops]"),
        ("f(1, 2)", "f(1, 2)"),
        ("", ""),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 99])
def test_what_is_no_literal_is_a_text(text: str, value: Any, size: int) -> None:
    said, _ = told(f"a={text}, b = 1 )", size, strict=False)
    assert json.loads(said) == {"a": value, "b": 1}


@given(st.text("ab='\",()[]{}\\ 1", max_size=20), st.integers(1, 5))
def test_whatever_has_an_end_is_json(text: str, size: int) -> None:
    whole = Keywords(strict=False)
    said = whole.feed(text)
    parts = Keywords(strict=False)
    cut = "".join(parts.feed(text[place : place + size]) for place in range(0, len(text), size))
    assert (cut, parts.ended, parts.passed) == (said, whole.ended, whole.passed)
    if whole.ended:
        assert isinstance(json.loads(said), dict)

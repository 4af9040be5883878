import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functionary_sgl.chat.json_text import parsed, written
from functionary_sgl.errors import InvalidSchema
from tests.mistakes import SPELLED

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
)


@given(values, st.booleans())
def test_what_json_can_say_is_read_as_python_reads_it(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert parsed(text) == json.loads(text)
    assert parsed(written(value)) == value


@pytest.mark.parametrize("number", ["1" * 4_300, "-0", "-0.0", "1e308", "1E-999", "0." + "1" * 400])
def test_numbers_are_exact(number: str) -> None:
    assert repr(parsed(f"[{number}]")) == repr(json.loads(f"[{number}]"))


@pytest.mark.parametrize("text", [*SPELLED.values(), "", "{", "\ufeff1", "2" * 309 + ".0", "NaN"])
def test_what_no_request_may_hold_is_no_json_elsewhere(text: str) -> None:
    with pytest.raises(ValueError, match=r"line|large"):
        parsed(text)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_none_are_found(number: float) -> None:
    with pytest.raises(InvalidSchema) as caught:
        written({"a": [1, {"b/c": number}]})
    assert caught.value.param == "/a/1/b~1c"

"""Numbers are exact, finite for whoever reads them, and of bounded length."""

import json
import math
import random
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functionary_sgl.errors import InvalidSchema
from functionary_sgl.grammars.intervals import decimals, integers
from functionary_sgl.grammars.numbers import number_pattern
from tests.grammars.walks import grammar, takes, walk

NUMBER = grammar({"type": "number"})
INTEGER = grammar({"type": "integer"})
MAX = 1.7976931348623157e308


@pytest.mark.parametrize(
    "text",
    [
        *(
            "0",
            "-0",
            "-0.0",
            "1.50",
            "0.1",
            "-12.75",
            "6.022e23",
            "1e-7",
            "1E+05",
            "0.5e-3",
            "12e6",
        ),
        *(
            "1e-07",
            "-2.5E-10",
            "1.7976931348623157e308",
            "1e-300",
            str(2**256),
            "12345678901234567",
        ),
    ],
)
def test_numbers_that_models_write_are_taken(text: str) -> None:
    assert takes(NUMBER, text)
    assert takes(grammar({}), f'{{"k": [{text}]}}')


@pytest.mark.parametrize(
    "text", ["9e999", "-1e309", "1.8e308", "1e-999", "01", "+1", "1.", ".5", "1" * 400, "NaN"]
)
def test_what_is_no_finite_number_for_all_is_not_written(text: str) -> None:
    assert not takes(NUMBER, text)
    assert not takes(grammar({}), f'{{"k": [{text}]}}')
    assert not takes(grammar({"type": "number", "minimum": 1}), text)


def test_the_length_of_a_number_is_bounded() -> None:
    for schema in ({"minimum": 0}, {"exclusiveMaximum": -5.5}, {"minimum": 1e30}, {}):
        for type_ in ("number", "integer"):
            matcher = grammar({"type": type_, **schema}).deep_copy()
            sign = "-" if "exclusiveMaximum" in schema else ""
            ids = list(f'{{"v": {sign}{"9" * 400}'.encode())
            assert matcher.try_consume_tokens(ids) < 330


def test_integers_are_written_without_a_fraction() -> None:
    for text in ("7", "-7", "1e3", "12E+8"):
        assert takes(INTEGER, text)
    for text in ("1.0", "1.5", "1e-3", "1.5e3"):
        assert not takes(INTEGER, text)


ID = 9007199254740993  # the first integer that no double is
LIMITS = [ID, 2**63 - 1, -(2**63), 2**64 - 1, 10**18 + 1, -(10**25) - 1, -ID]


@pytest.mark.parametrize("limit", LIMITS)
def test_integers_beyond_doubles_are_exact(limit: int) -> None:
    schemas: list[tuple[dict[str, Any], Callable[[int], bool]]] = [
        ({"const": limit}, lambda i: i == limit),
        ({"enum": [limit, "x", limit + 5]}, lambda i: i in (limit, limit + 5)),
        ({"type": "integer", "minimum": limit}, lambda i: i >= limit),
        ({"type": "integer", "maximum": limit}, lambda i: i <= limit),
        ({"type": "number", "minimum": limit, "maximum": limit + 1}, lambda i: 0 <= i - limit <= 1),
        ({"type": "integer", "exclusiveMinimum": limit}, lambda i: i > limit),
        ({"type": "integer", "exclusiveMaximum": limit}, lambda i: i < limit),
    ]
    for schema, valid in schemas:
        matcher = grammar(schema)
        nested = grammar({"const": {"k": [limit]}})
        for number in range(limit - 2, limit + 7):
            assert takes(matcher, str(number)) is valid(number), (schema, number)
            assert takes(nested, f'{{"k": [{number}]}}') is (number == limit)


@pytest.mark.parametrize("limit", [2**31 - 1, 2**63 - 1, 2**64 - 1, 3.4028234663852886e38, MAX])
def test_limits_of_types_are_bounds_like_others(limit: float) -> None:
    for type_ in ("integer", "number"):
        matcher = grammar({"type": type_, "minimum": -limit, "maximum": limit})
        assert takes(matcher, "5")
        assert takes(matcher, str(int(limit))) is (limit < 1e300)
        assert not takes(matcher, str(int(limit) + 1))
    assert takes(grammar({"type": "number", "minimum": -limit, "maximum": limit}), repr(limit))


@pytest.mark.parametrize(
    ("schema", "valid", "invalid"),
    [
        ({"enum": [1, 2.5, 1e-05]}, ["1", "1.0", "1.00", "2.5", "2.50", "1e-05", "0.00001"], ["3"]),
        ({"enum": [1, 2.5], "type": "integer"}, ["1"], ["2.5", "1.0", "2"]),
        ({"const": 1.0}, ["1", "1.0", "1e0"], ["1.01", "true"]),
        ({"enum": [ID]}, [str(ID)], [f"{ID}.0", f"{ID - 1}"]),
        (
            {"minimum": 0, "maximum": 1},
            ["0", "1", "0.333", "1e-7", "3.5E-05", "1.0"],
            ["1.1", "1e1"],
        ),
        ({"exclusiveMinimum": 0}, ["1e-7", "0.001", "6.022e23"], ["0", "0.0", "-1", "0e5"]),
        ({"exclusiveMaximum": 1000}, ["999.9999999999999", "1e2"], ["1000", "1e3"]),
        (
            {"minimum": -90, "maximum": 90.5},
            ["-90.0", "-0.5", "90.5", "9.05e1"],
            ["90.51", "-90.1"],
        ),
        ({"maximum": 12500, "type": "integer"}, ["12e3", "-4e7", "125e2"], ["13e3", "12501"]),
        ({"multipleOf": 0.01}, ["1.25", "-3", "0.1"], ["1.255", "1e-3"]),
        ({"multipleOf": 7, "type": "integer"}, ["14", "-7", str(7 * 10**16)], ["15"]),
    ],
)
def test_bounds_and_values(schema: dict[str, Any], valid: list[str], invalid: list[str]) -> None:
    matcher = grammar({"type": "number", **schema})
    for text in valid:
        assert takes(matcher, text), text
    for text in invalid:
        assert not takes(matcher, text), text


BOUND = st.one_of(
    st.integers(-(10**19), 10**19),
    st.integers(-100, 100),
    st.floats(-1e6, 1e6),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0, 0.1, 1, 10, 100, 12500, MAX, 2**53 + 1]),
)
BOUNDS = st.fixed_dictionaries(
    {},
    optional={
        "minimum": BOUND,
        "maximum": BOUND,
        "exclusiveMinimum": BOUND,
        "exclusiveMaximum": BOUND,
        "type": st.just("integer"),
    },
)
TEXTS = st.from_regex(
    r"-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,4})?([eE][+-]?[0-9]{1,3})?", fullmatch=True
)


@settings(max_examples=10 * settings().max_examples)
@given(BOUNDS, st.lists(TEXTS, max_size=5), st.randoms(use_true_random=False))
def test_what_is_written_satisfies_the_bounds(
    bounds: dict[str, Any], texts: list[str], dice: random.Random
) -> None:
    if number_pattern([bounds]) is None:
        return
    matcher = grammar({"type": "number"} | bounds)
    near = [form(b) for b in bounds.values() if b != "integer" for form in (repr, "{:e}".format)]
    written = [walk(matcher, dice).removeprefix('{"v": ').removesuffix("}") for _ in range(5)]
    for text in [*written, *(text for text in [*texts, *near] if takes(matcher, text))]:
        value = json.loads(text)
        assert isinstance(value, int) or math.isfinite(value)
        assert _satisfies(value, bounds), text
        assert _satisfies(orjson.loads(text), bounds) or abs(value) > 2**53
        assert len(text) < 340


def _satisfies(value: float, bounds: dict[str, Any]) -> bool:
    holds = {
        "minimum": lambda bound: value >= bound,
        "maximum": lambda bound: value <= bound,
        "exclusiveMinimum": lambda bound: value > bound,
        "exclusiveMaximum": lambda bound: value < bound,
        "type": lambda _: value == int(value),
    }
    return all(holds[keyword](bound) for keyword, bound in bounds.items())


@given(st.integers(0, 10**25), st.integers(0, 10**25), st.integers(0, 10**25))
def test_integers_of_an_interval(one: int, other: int, value: int) -> None:
    least, most = sorted((one, other))
    pattern = integers(least, most)
    assert pattern is not None
    for number in (value, least, most, max(least - 1, 0), most + 1, (least + most) // 2):
        assert bool(re.fullmatch(pattern, str(number))) is (least <= number <= most)


DECIMALS = st.decimals(0, 10**6, places=4) | st.decimals(0, 2, places=2)


@given(DECIMALS, DECIMALS, DECIMALS)
def test_decimals_of_an_interval(one: Any, other: Any, value: Any) -> None:
    least, most = sorted((one, other))
    pattern = decimals(least, most)
    assert pattern is not None
    for number in (value, least, most):
        for text in (f"{number:f}", f"{number:f}".rstrip("0").rstrip(".") or "0"):
            inside = Fraction(least) <= Fraction(number) <= Fraction(most)
            assert bool(re.fullmatch(pattern, text)) is inside


def test_a_value_that_no_program_reads_is_refused() -> None:
    with pytest.raises(InvalidSchema, match="larger"):
        grammar({"enum": [10**400]})

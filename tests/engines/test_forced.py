"""What of a text a constraint left no choice about."""

import json
from typing import Any

import pytest

from functionary_sgl.engines.base import Constraint
from functionary_sgl.engines.forced import forced


def told(schema: Any, *parts: str, **options: Any) -> list[bool]:
    constraint = Constraint("json_schema", json.dumps(schema), **options)
    return list(forced(constraint, [part.encode() for part in parts]))


ONE = {
    "type": "object",
    "properties": {"celsius": {"type": "boolean"}, "kelvin": {"type": "boolean"}},
    "minProperties": 1,
    "additionalProperties": False,
}


def test_where_only_one_text_is_allowed_it_is_forced() -> None:
    assert told(ONE, '{"', "c", "elsius", '": ', "t", "rue") == [
        True,
        False,
        True,
        True,
        False,
        True,
    ]


def test_a_token_that_decides_is_not_though_it_goes_on_into_what_is_forced() -> None:
    assert told(ONE, '{"cel', "sius") == [False, True]


def test_a_value_that_has_several_spellings_is_not() -> None:
    assert told({"const": "a"}, '"', "a", '"') == [True, False, True]


def test_parts_of_characters_are_told_like_others() -> None:
    parts = [bytes([byte]) for byte in "漢".encode()]
    assert list(forced(Constraint("regex", "漢|漣"), parts)) == [True, True, False]


def test_the_space_before_a_value_is_of_it() -> None:
    assert told(ONE, ' {"', "k", "elvin", lead=" ") == [True, False, True]


@pytest.mark.parametrize("kind", ["regex", "lark"])
def test_other_constraints_force_too(kind: Any) -> None:
    source = "ab[cd]" if kind == "regex" else 'start: "ab" ("c" | "d")'
    assert list(forced(Constraint(kind, source), [b"ab", b"c"])) == [True, False]


def test_behind_the_end_nothing_is_said() -> None:
    assert told({"const": 1}, "1", "<|eot_id|>", "x") == [True]
    assert told(ONE, '{"', "no such") == [True]

"""A scripted model never writes what its constraint forbids."""

import json
import re
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functionary_sgl.chat.schema import JSON_STYLE
from functionary_sgl.engines.base import Constraint
from functionary_sgl.engines.grammar import check
from functionary_sgl.engines.scripted.follow import follow
from functionary_sgl.sandbox import bytewise

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "minLength": 2},
        "days": {"type": "integer", "minimum": 1},
        "class": {"enum": ["economy", "business"]},
        "guest": {
            "type": "object",
            "properties": {"name": {"type": "string"}},
            "required": ["name"],
        },
        "tags": {"type": "array", "items": {"type": "boolean"}, "minItems": 1},
    },
    "required": ["city", "class", "guest", "tags"],
    "additionalProperties": False,
}
JSON = Constraint("json_schema", json.dumps(SCHEMA | JSON_STYLE))


def test_a_wish_that_is_allowed_is_granted() -> None:
    wish = (
        '{"city": "Rome", "days": 3, "class": "economy", "guest": {"name": "Al"}, "tags": [true]}'
    )
    assert follow(JSON, wish + ">>>now\n{}") == (wish, len(wish))


def test_separators_are_those_that_models_are_trained_on() -> None:
    anything = {"type": "object", "additionalProperties": True, **JSON_STYLE}
    constraint = Constraint("json_schema", json.dumps(anything))
    assert follow(constraint, '\n {"a":1,\n"b" :[2,3]}')[0] == '{"a": 1, "b": [2, 3]}'


@settings(deadline=None)
@given(st.text() | st.text(alphabet='{}[]":, cityRomedayslnug\n0123456789'))
def test_whatever_is_wished_the_arguments_are_valid(wish: str) -> None:
    text, used = follow(JSON, wish)
    jsonschema.validate(json.loads(text), SCHEMA)
    assert 0 <= used <= len(wish)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "a.c"},
        {"type": "string", "minLength": 70},
        {"type": "string", "format": "date-time"},
        {"type": "number", "minimum": 1234.5, "maximum": 1235},
        {"type": "integer", "multipleOf": 7, "minimum": 15},
        {"type": "array", "items": {"enum": [1, 2]}, "minItems": 3},
        {"type": "object", "additionalProperties": {"type": "integer"}},
        {"anyOf": [{"const": "x"}, {"type": "null"}]},
    ],
)
def test_every_kind_of_value_is_brought_to_its_end(schema: dict[str, Any]) -> None:
    parent = {"type": "object", "properties": {"v": schema}, "required": ["v"]}
    text, _ = follow(Constraint("json_schema", json.dumps(parent)), '{"v": @')
    jsonschema.validate(json.loads(text), parent)


@settings(deadline=None)
@given(st.text(max_size=20))
def test_whatever_is_wished_a_regex_is_matched(wish: str) -> None:
    pattern = r"(a|b)*c[0-9]{2,4}(é|ü)?"
    text, _ = follow(Constraint("regex", pattern), wish)
    assert re.fullmatch(pattern, text)


@pytest.mark.parametrize(
    "constraint",
    [
        Constraint("json_schema", '{"type": "no such type"}'),
        Constraint("json_schema", '{"$ref": "http://example.com/schema.json"}'),
        Constraint("regex", "(unclosed"),
    ],
)
def test_what_cannot_be_enforced_is_told(constraint: Constraint) -> None:
    fault, none = check([constraint, JSON], bytewise())
    assert fault
    assert none is None

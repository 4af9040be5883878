"""Whatever stands in a schema, it is refused or works: no mistake of a client is ours."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functionary_sgl.chat.schema import arguments, resolved
from functionary_sgl.chat.tools import Tool
from functionary_sgl.engines.scripted import Script, ScriptedEngine
from functionary_sgl.errors import InvalidSchema, RequestError
from functionary_sgl.gate import Gate
from functionary_sgl.prompt import typescript
from functionary_sgl.prompt.definition import definition
from functionary_sgl.prompt.intern import ToolMemory
from functionary_sgl.tokenizer import Tokenizer
from tests.mistakes import KEYWORDS, PLAIN, WRONG, places, put, with_mistakes, written
from tests.paths import DATA

CASES = json.loads((DATA / "keywords.json").read_text())
DEFINITIONS = {
    "positive": {"$anchor": "pos", "type": "integer", "minimum": 1},
    "tree": {"type": "object", "properties": {"c": {"items": {"$ref": "#/$defs/tree"}}}},
}
CHOSEN = {"type": "object", "properties": {"k": {"const": 1}}, "required": ["k"]}


def parameters(schema: Any) -> dict[str, Any]:
    """Those of which `schema` is a property, and one branch among others."""
    properties = {"a": schema, "b": {"oneOf": [CHOSEN, schema]}}
    return {"type": "object", "properties": properties, "required": ["a"], "$defs": DEFINITIONS}


def walk(tool: Tool) -> None:
    """What is done with a tool, whether or not it may be called; all of it on its own, since what
    one refuses another may not."""
    for step in (
        arguments,
        lambda tool: arguments(tool, ("pattern", "patternProperties", "multipleOf", "allOf")),
        resolved,
        typescript.function,
        definition,
        ToolMemory().first,
    ):
        with suppress(RequestError):
            step(tool)


def tool(schema: Any) -> Tool:
    return Tool("f", "Does.", written(schema))


@pytest.mark.parametrize("case", CASES, ids=[case["keyword"] for case in CASES])
def test_a_wrong_value_at_any_place(case: dict[str, Any]) -> None:
    schema = parameters(case["schema"])
    apart = len(WRONG) // 3
    for number, place in enumerate(places(schema["properties"])):
        for wrong in WRONG[number % apart :: apart]:
            walk(tool(put(schema, ("properties", *place), wrong)))


@pytest.mark.parametrize("keyword", KEYWORDS)
def test_a_wrong_value_for_any_keyword(keyword: str) -> None:
    for wrong in WRONG:
        for schema in _with(keyword, wrong):
            walk(tool(schema))


def _with(keyword: str, value: Any) -> Iterator[Any]:
    yield {keyword: value, "properties": {"b": {}}}
    yield parameters({"type": "object", "properties": {}, keyword: value})
    # Seen through a reference, before anything has looked at it.
    branches = [{"$ref": "#/$defs/x"}, CHOSEN]
    yield {"properties": {"a": {"oneOf": branches}}, "$defs": {"x": {keyword: value}}}


WHOLE = [parameters(case["schema"]) for case in CASES]


@given(with_mistakes(WHOLE, most=4))
def test_several_mistakes_at_once(schema: Any) -> None:
    walk(tool(schema))


@pytest.fixture(scope="module")
def gate(tokenizer: Tokenizer) -> Gate:
    return Gate(ScriptedEngine(Script(replies=[]), tokenizer))


@given(with_mistakes(WHOLE, wrong=PLAIN, most=2), st.booleans())
def test_the_gate_lets_pass_or_refuses(gate: Gate, schema: Any, strict: bool) -> None:
    with suppress(InvalidSchema):
        asyncio.run(gate.admit([Tool("f", "", written(schema), strict)]))


BAD_REFERENCES = ("#/allOf/" + "1" * 5_000, "#/allOf/\u0660", "#/allOf/\u00b2", "#/allOf/00")


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        *[
            ({"allOf": [{}], "properties": {"a": {"$ref": ref}}}, "/properties/a/$ref")
            for ref in BAD_REFERENCES
        ],
        ({"minProperties": 1, "properties": 5}, "/properties"),
        ({"minProperties": 1, "properties": {"a": {}}, "required": [[]]}, "/required"),
        *[
            (
                {
                    "properties": {"a": {"oneOf": [{"$ref": "#/$defs/x"}, CHOSEN]}},
                    "$defs": {"x": {keyword: 5}},
                },
                f"/$defs/x/{keyword}",
            )
            for keyword in ("type", "enum", "required", "properties", "$ref")
        ],
    ],
)
def test_refusals_name_the_very_place(schema: Any, place: str) -> None:
    with pytest.raises(InvalidSchema) as caught:
        arguments(tool(schema))
    assert caught.value.param == f"tools.parameters{place}"


def test_the_mark_of_draft_3_is_told_in_any_branch() -> None:
    branches = [{"type": "object", "required": True}, CHOSEN]
    known = arguments(tool({"properties": {"a": {"oneOf": branches}}}))
    assert "/properties/a/oneOf/0/required" in known.unenforced


@pytest.mark.parametrize("text", ["1", "[]", '"x"', "{", *(written(w) for w in WRONG[-9:])])
def test_parameters_that_nobody_can_read_are_refused(text: str) -> None:
    for step in (arguments, resolved, definition, typescript.function, ToolMemory().first):
        with pytest.raises(InvalidSchema) as caught:
            step(Tool("f", parameters_json=text, path="tools[0].function"))
        assert caught.value.param == "tools[0].function.parameters"


def test_parameters_may_point_at_a_schema_only() -> None:
    assert resolved(tool({"$ref": "#/$defs/any", "$defs": {"any": True}})) == {}
    with pytest.raises(InvalidSchema) as caught:
        resolved(tool({"$ref": "#/description", "description": "x"}))
    assert caught.value.param == "tools.parameters/$ref"

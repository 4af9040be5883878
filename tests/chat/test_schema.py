import json
from typing import Any

import pytest

from functionary_sgl.chat.schema import arguments
from functionary_sgl.chat.tools import Tool
from functionary_sgl.errors import InvalidSchema


def schema(parameters: Any) -> Any:
    tool = Tool("f", "", json.dumps(parameters), path="tools[0].function")
    schema = json.loads(arguments(tool).constraint)
    assert schema.pop("x-guidance")["key_separator"] == ": "
    return schema


@pytest.mark.parametrize(
    "parameters", [None, {}, {"type": "object"}, {"type": "object", "properties": {}}]
)
def test_a_function_without_parameters_takes_an_empty_object(parameters: Any) -> None:
    assert schema(parameters) == {"type": "object", "properties": {}, "additionalProperties": False}


@pytest.mark.parametrize(
    "parameters",
    [
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object", "properties": {}, "additionalProperties": True},
    ],
)
def test_parameters_are_taken_as_they_are(parameters: Any) -> None:
    assert schema(parameters) == parameters


def test_objects_that_list_their_properties_are_closed() -> None:
    inner = {"properties": {"b": {}}}
    parameters = {
        "properties": {
            "a": {"type": "array", "items": inner},
            "open": {**inner, "additionalProperties": True},
            "composed": {**inner, "allOf": [inner]},
        }
    }
    closed = schema(parameters)
    assert closed["additionalProperties"] is False
    assert closed["properties"]["a"]["items"] == {**inner, "additionalProperties": False}
    assert closed["properties"]["open"]["additionalProperties"] is True
    assert closed["properties"]["composed"] == parameters["properties"]["composed"]


def test_the_type_may_be_left_out() -> None:
    assert schema({"properties": {"a": {}}})["type"] == "object"


def test_arguments_are_always_an_object() -> None:
    with pytest.raises(InvalidSchema) as caught:
        schema({"type": "string", "enum": ["a"]})
    assert caught.value.param == "tools[0].function.parameters"


@pytest.mark.parametrize("name", ["email", "date", "uri-reference"])
def test_a_format_is_enforced_where_the_tool_is_strict_and_told_elsewhere(name: str) -> None:
    property_ = {"type": "string", "format": name}
    text = json.dumps({"properties": {"a": property_}})
    loose = arguments(Tool("f", "", text))
    assert loose.unenforced == ("/properties/a/format",)
    assert json.loads(loose.constraint or "")["properties"]["a"] == {"type": "string"}
    assert json.loads(loose.whole)["properties"]["a"] == property_
    strict = arguments(Tool("f", "", text, strict=True))
    assert strict.unenforced == (loose.unenforced if name == "uri-reference" else ())

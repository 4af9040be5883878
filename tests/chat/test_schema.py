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

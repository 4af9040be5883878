import json
from typing import Any

import pytest

from functionary_sgl.chat.schema import NO_ARGUMENTS, arguments_schema
from functionary_sgl.chat.tools import Tool
from functionary_sgl.errors import InvalidSchema


def schema(parameters: Any) -> str:
    return arguments_schema(Tool("f", "", json.dumps(parameters), "tools[0].function"))


@pytest.mark.parametrize(
    "parameters", [None, {}, {"type": "object"}, {"type": "object", "properties": {}}]
)
def test_a_function_without_parameters_takes_an_empty_object(parameters: Any) -> None:
    assert schema(parameters) == NO_ARGUMENTS


@pytest.mark.parametrize(
    "parameters",
    [
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
    ],
)
def test_parameters_are_taken_as_they_are(parameters: Any) -> None:
    assert json.loads(schema(parameters)) == parameters


def test_the_type_may_be_left_out() -> None:
    assert json.loads(schema({"properties": {"a": {}}}))["type"] == "object"


def test_arguments_are_always_an_object() -> None:
    with pytest.raises(InvalidSchema) as caught:
        schema({"type": "string", "enum": ["a"]})
    assert caught.value.param == "tools[0].function.parameters"

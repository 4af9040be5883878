"""Hostile schemas against the real engine, which goes on serving."""

import json

import httpx
import pytest

from tests import hostile
from tests.engine.conftest import RunningEngine

ASKED = {
    "model": "functionary-nano",
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "max_tokens": 16,
}


def post(engine: RunningEngine, schema: str) -> httpx.Response:
    content = hostile.body(schema, **ASKED)
    return engine.http.post("/v1/chat/completions", content=content)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("nested 60 deep", 200),
        ("nested 1000 deep", 400),
        ("counted choice", 200),
        ("nested counts", 200),
        ("a million states", 200),
        ("30 patterns at once", 200),
        ("500 pattern properties", 200),
        ("list of a billion", 200),
        ("enum of 10,000 short", 400),  # longer than the context
        ("2,000 alternatives", 200),
        ("recursive without end", 400),
        ("a chain of 3,000 references", 400),
        ("a large multiple", 200),
        ("null characters", 200),  # a pattern that no value of the enum has is told
    ],
)
def test_hostile_schemas_leave_the_engine_alive(
    engine: RunningEngine, name: str, status: int
) -> None:
    assert post(engine, hostile.SCHEMAS[name]).status_code == status
    assert post(engine, '{"properties": {"a": {"type": "string"}}}').status_code == 200


def test_what_is_not_enforced_is_told_and_the_rest_is_enforced(engine: RunningEngine) -> None:
    items = {"type": "array", "items": {"enum": [1]}, "maxItems": 2, "uniqueItems": True}
    schema = {"type": "dict", "properties": {"a": items}, "required": ["a"]}
    response = post(engine, json.dumps(schema))
    places = response.headers["functionary-unenforced"]
    assert places == "tools[0].function.parameters/properties/a/uniqueItems"
    (call,) = response.json()["choices"][0]["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"])["a"] in ([], [1], [1, 1])

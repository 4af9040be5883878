"""Answers in text that have to be JSON, by themselves and beside tools, in every format."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema
import pytest

from functionary_sgl.turns import FORMATS
from tests import formats
from tests.conftest import WEATHER
from tests.formats import PerFormat, written

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
}
BY_SCHEMA = {"type": "json_schema", "json_schema": {"name": "trip", "schema": SCHEMA}}
JSON_SCHEMA = "response_format.json_schema"
ANSWER = '{"city": "Rome", "days": 3}'
CALL = ("get_current_weather", '{"location": "Rome"}')
REASONING = [name for name, format in FORMATS.items() if format.reasons]


@pytest.fixture(scope="module")
def clients() -> Iterator[PerFormat[httpx.Client]]:
    def replies(format: str) -> list[dict[str, Any]]:
        return [
            {"match": "[answer]", "turn": written(format, ANSWER, [])},
            {"match": "[thought]", "turn": written(format, ANSWER, [], "Hm.")},
            {"match": "[call]", "turn": written(format, None, [CALL])},
            {"match": "[prose]", "turn": written(format, "Three days in Rome.", [])},
        ]

    with formats.clients(replies) as started:
        yield started


def ask(client: httpx.Client, text: str, format: Any = BY_SCHEMA, **fields: Any) -> httpx.Response:
    messages = [{"role": "user", "content": text}]
    body = {"model": "m", "messages": messages, "response_format": format, **fields}
    return client.post("/v1/chat/completions", json=body)


def message(answer: httpx.Response) -> Any:
    return answer.raise_for_status().json()["choices"][0]["message"]


@pytest.mark.parametrize("format", FORMATS)
def test_text_follows_the_schema(clients: Any, format: str) -> None:
    assert message(ask(clients[format], "[answer]"))["content"] == ANSWER
    content = message(ask(clients[format], "[prose]"))["content"]
    jsonschema.validate(json.loads(content), SCHEMA)


@pytest.mark.parametrize("format", FORMATS)
def test_any_object_will_do_for_json_object(clients: Any, format: str) -> None:
    anything = {"type": "json_object"}
    assert message(ask(clients[format], "[answer]", anything))["content"] == ANSWER
    assert isinstance(
        json.loads(message(ask(clients[format], "[prose]", anything))["content"]), dict
    )


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "llama3-json"])
def test_beside_tools_the_model_answers_or_calls(clients: Any, format: str) -> None:
    answered = message(ask(clients[format], "[answer]", tools=[WEATHER]))
    assert (answered["content"], answered.get("tool_calls")) == (ANSWER, None)
    called = message(ask(clients[format], "[call]", tools=[WEATHER]))
    (call,) = called["tool_calls"]
    assert (called["content"], call["function"]["arguments"]) == (None, CALL[1])


@pytest.mark.parametrize("format", REASONING)
def test_it_may_reason_before(clients: Any, format: str) -> None:
    for tools in ([], [WEATHER]):
        thought = message(ask(clients[format], "[thought]", tools=tools))
        assert (thought["reasoning_content"], thought["content"]) == ("Hm.", ANSWER)


def test_where_an_answer_looks_like_a_call_it_is_refused(clients: Any) -> None:
    answer = ask(clients["llama3-json"], "[answer]", tools=[WEATHER])
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "response_format"


@pytest.mark.parametrize(
    ("format", "param"),
    [
        ({"type": "xml"}, "response_format.type"),
        ({"type": "json_schema"}, f"{JSON_SCHEMA}.schema"),
        (
            {"type": "json_schema", "json_schema": {"name": "x"}},
            "response_format.json_schema.schema",
        ),
        (
            {"type": "json_schema", "json_schema": {"schema": {"type": "strange"}}},
            "response_format.json_schema.schema/type",
        ),
        (
            {"type": "json_schema", "json_schema": {"schema": ["array"]}},
            "response_format.json_schema.schema",
        ),
    ],
)
def test_what_is_no_format_is_refused(clients: Any, format: Any, param: str) -> None:
    answer = ask(clients["v3.llama3"], "[answer]", format)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param

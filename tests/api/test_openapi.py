"""The document describes what is taken, and refuses what is not."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from functionary_sgl.api.app import BODIES
from tests.conftest import WEATHER
from tests.formats import PROMPTERS
from tests.serving import Served, scripted_model, serving

HI = {"role": "user", "content": "Hi"}
CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": {"a": 1}}}
PLAIN: dict[str, Any] = {"model": "m", "messages": [HI]}


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(scripted_model(PROMPTERS["v3.llama3"], {"turn": "all\nHello"})) as served:
        yield served


@pytest.fixture(scope="module")
def validator(served: Served) -> Draft202012Validator:
    schema = served.http.get("/openapi.json").json()
    operation = schema["paths"]["/v1/chat/completions"]["post"]
    reference = operation["requestBody"]["content"]["application/json"]["schema"]
    return Draft202012Validator({**schema, **reference})


@pytest.mark.parametrize(
    "fields",
    [
        {
            "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
            "stop": ["a"],
        },
        {"messages": [HI, {"role": "assistant", "content": None, "tool_calls": [CALL]}]},
        {"messages": [{"role": "tool", "content": None, "tool_call_id": "a"}, HI]},
        {
            "messages": [
                {
                    "role": "assistant",
                    "content": [
                        {"type": "refusal", "refusal": "No."},
                        {"type": "thinking", "thinking": [{"type": "text", "text": "so"}]},
                        {"type": "reasoning", "summary": [], "encrypted_content": "x"},
                    ],
                    "reasoning": "so",
                    "refusal": None,
                },
                HI,
            ]
        },
        {"tools": [WEATHER, {"type": "code_interpreter"}]},
        {"tools": [{"type": "function", "name": "f", "description": None, "parameters": None}]},
        {"tools": [], "tool_choice": "auto", "metadata": {"a": 1}},
        {"model": None, "reasoning_effort": "none", "top_p": 0, "max_tokens": 2**40},
        {"n": 2, "chat_template_kwargs": {"enable_thinking": False, "other": None}},
    ],
    ids=json.dumps,
)
def test_what_is_described_is_taken(
    served: Served, validator: Draft202012Validator, fields: dict[str, Any]
) -> None:
    request = {**PLAIN, **fields}
    validator.validate(request)
    assert served.http.post("/v1/chat/completions", json=request).status_code == 200


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": 3},
        {"model": "another"},
        {"n": 129},
        {"max_tokens": 0},
        {"top_p": -1},
        {"reasoning_effort": "vast"},
        {"tools": [{"type": "function"}]},
    ],
    ids=json.dumps,
)
def test_what_is_not_is_refused(
    served: Served, validator: Draft202012Validator, fields: dict[str, Any]
) -> None:
    request = {**PLAIN, **fields}
    assert not validator.is_valid(request)
    assert served.http.post("/v1/chat/completions", json=request).status_code in (400, 404)


ITEMS = [
    HI,
    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "So."}]},
    {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "a", "output": [{"type": "text", "text": "x"}]},
]


@pytest.fixture(scope="module")
def of_responses(served: Served) -> Draft202012Validator:
    schema = served.http.get("/openapi.json").json()
    return Draft202012Validator({**schema, "$ref": "#/components/schemas/ResponsesRequest"})


@pytest.mark.parametrize(
    ("fields", "taken"),
    [
        ({"input": "Hi"}, True),
        ({"input": ITEMS, "tools": [{"type": "custom", "name": "s"}]}, True),
        ({"input": "Hi", "reasoning": {"effort": None}, "metadata": {"a": "b"}}, True),
        ({"input": "Hi", "stream_options": {"include_obfuscation": False}}, True),
        ({"input": 3}, False),
        ({"input": [{"type": "function_call", "name": "f"}]}, False),
        ({"input": "Hi", "model": "another"}, False),
        ({"input": "Hi", "tools": [{"type": "web_search"}]}, False),
        ({"input": "Hi", "include": ["all"]}, False),
    ],
    ids=json.dumps,
)
def test_what_is_described_of_responses_is_what_is_taken(
    served: Served, of_responses: Draft202012Validator, fields: dict[str, Any], taken: bool
) -> None:
    assert of_responses.is_valid(fields) == taken
    answer = served.http.post("/v1/responses", json=fields)
    assert (answer.status_code == 200) == taken


BLOCKS = [
    {"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}},
    {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": "x"}]},
]


@pytest.mark.parametrize(
    ("fields", "taken"),
    [
        ({}, True),
        ({"messages": [{"role": "user", "content": BLOCKS}]}, True),
        ({"system": [{"type": "text", "text": "Be brief."}], "stop_sequences": ["a"]}, True),
        ({"tools": [{"name": "f", "input_schema": {}}], "tool_choice": {"type": "any"}}, True),
        ({"thinking": {"type": "adaptive"}, "metadata": {"user_id": None}}, True),
        ({"max_tokens": 0}, False),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, False),
        ({"tools": [{"name": "f"}]}, False),
        ({"tools": [{"type": "bash_20250124", "name": "bash"}]}, False),
        ({"tool_choice": {"type": "required"}}, False),
        ({"model": "another"}, False),
    ],
    ids=json.dumps,
)
def test_what_is_described_of_messages_is_what_is_taken(
    served: Served, fields: dict[str, Any], taken: bool
) -> None:
    schema = served.http.get("/openapi.json").json()
    body = {"max_tokens": 9, "messages": [HI], **fields}
    for path, kind in (("", "MessagesRequest"), ("/count_tokens", "CountTokensRequest")):
        validator = Draft202012Validator({**schema, "$ref": f"#/components/schemas/{kind}"})
        if path and "max_tokens" in fields:
            continue
        assert validator.is_valid(body) == taken
        answer = served.http.post(f"/v1/messages{path}", json=body)
        assert (answer.status_code == 200) == taken


def test_no_two_kinds_of_objects_have_the_same_name() -> None:
    found: dict[str, Any] = {}
    for kind in BODIES:
        for name, schema in kind.model_json_schema().get("$defs", {}).items():
            assert found.setdefault(name, schema) == schema

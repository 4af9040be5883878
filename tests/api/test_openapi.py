"""The document describes what is taken, and refuses what is not."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

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

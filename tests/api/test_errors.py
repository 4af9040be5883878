"""Every error has OpenAI's body, wherever it comes from."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.conftest import WEATHER
from tests.paths import DATA
from tests.serving import Served

CASES = json.loads((DATA / "errors.json").read_text())["cases"]
HI = [{"role": "user", "content": "Hi"}]


@pytest.fixture
def served(serve: Callable[..., Served]) -> Served:
    return serve({"turn": "all\nHello"})


def post(served: Served, content: Any) -> httpx.Response:
    if not isinstance(content, str | bytes):
        content = json.dumps(content)
    headers = {"content-type": "application/json"}
    return served.http.post("/v1/chat/completions", content=content, headers=headers)


def error(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert body.keys() == {"error"}
    assert body["error"].keys() == {"message", "type", "param", "code"}
    assert isinstance(body["error"]["message"], str)
    details: dict[str, Any] = body["error"]
    return details


# The reference refuses a choice without tools, also one that asks for nothing; clients send that.
TAKEN = [{"tool_choice": "auto"}, {"function_call": "auto"}]
REFUSED = [c for c in CASES if not any(taken.items() <= c["request"].items() for taken in TAKEN)]


@pytest.mark.parametrize("taken", [*TAKEN, {"tool_choice": "none"}, {"function_call": "none"}])
def test_a_choice_that_asks_for_nothing_needs_no_tools(
    served: Served, taken: dict[str, str]
) -> None:
    for offer in ({}, {"tools": []}, {"tools": None, "functions": None}):
        assert post(served, {"model": "m", "messages": HI, **taken, **offer}).status_code == 200


@pytest.mark.parametrize(
    ("choice", "asked"),
    [
        ("tool_choice", "required"),
        ("tool_choice", {"type": "function", "function": {"name": "f"}}),
        ("function_call", {"name": "f"}),
    ],
)
def test_any_other_choice_does(served: Served, choice: str, asked: Any) -> None:
    details = error(post(served, {"model": "m", "messages": HI, choice: asked}), 400)
    assert details["param"] == choice
    assert "is only allowed when" in details["message"]


@pytest.mark.parametrize("case", REFUSED, ids=[c["body"]["message"][:40] for c in REFUSED])
def test_the_references_errors_have_its_messages(served: Served, case: dict[str, Any]) -> None:
    details = error(post(served, case["request"]), case["status"])
    assert details["message"] == case["body"]["message"]
    assert details["param"] == case["body"]["param"]
    assert details["type"] == case["body"]["type"]


DEEP = "[" * 5000 + "]" * 5000


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ("", None),
        ("{", None),
        ("null", None),
        ("[]", None),
        ('"text"', None),
        (b"\xff\xfe", None),
        (DEEP, None),
        ('{"model": "\\ud800"}', None),
        ({}, "messages"),
        ({"model": "m"}, "messages"),
        ({"model": "m", "messages": []}, "messages"),
        ({"model": "m", "messages": "Hi"}, "messages"),
        ({"model": "m", "messages": ["Hi"]}, "messages[0]"),
        ({"model": "m", "messages": [{"role": "king", "content": "Hi"}]}, "messages[0].role"),
        ({"model": "m", "messages": [{"role": "user"}]}, "messages[0].content"),
        ({"model": "m", "messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
        (
            {"model": "m", "messages": [{"role": "user", "content": [{"text": "Hi"}]}]},
            "messages[0].content[0].type",
        ),
        ({"model": "m", "messages": HI, "temperature": 3}, "temperature"),
        ({"model": "m", "messages": HI, "max_tokens": 0}, "max_tokens"),
        ({"model": "m", "messages": HI, "n": 1000000}, "n"),
        ({"model": "m", "messages": HI, "stop": ["a"] * 5}, "stop"),
        ({"model": "m", "messages": HI, "stop": "a" * 10_000}, "stop"),
        ({"model": "m", "messages": HI, "stop": ["a" * 10_000]}, "stop[0]"),
        (
            {"model": "m", "messages": [
                {"role": "user", "content": [{"type": "text", "text": "a"}] * 2_000}]},
            "messages[0].content",
        ),
        (
            {"model": "m", "messages": [*HI, {"role": "assistant", "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            ] * 2_000}]},
            "messages[1].tool_calls",
        ),
        ({"model": "m", "messages": HI, "metadata": {str(n): "" for n in range(20)}}, "metadata"),
        (
            {"model": "m", "messages": HI, "logit_bias": {str(n): 1 for n in range(2_000)}},
            "logit_bias",
        ),
        ({"model": "m", "messages": HI, "logit_bias": {"9999999": 1}}, "logit_bias"),
        ({"model": "m", "messages": HI, "top_logprobs": 1}, "top_logprobs"),
        ({"model": "m", "messages": HI, "reasoning_effort": "low"}, "reasoning_effort"),
        ({"model": "m", "messages": HI, "reasoning_effort": "vast"}, "reasoning_effort"),
        ({"model": "m", "messages": HI, "reasoning_effort": 2}, "reasoning_effort"),
        (
            {"model": "m", "messages": HI, "chat_template_kwargs": {"enable_thinking": True}},
            "chat_template_kwargs.enable_thinking",
        ),
        (
            {"model": "m", "messages": HI, "chat_template_kwargs": {"thinking": True}},
            "chat_template_kwargs.thinking",
        ),
        (
            {"model": "m", "messages": HI, "chat_template_kwargs": {"thinking_budget": 9}},
            "chat_template_kwargs.thinking_budget",
        ),
        (
            {"model": "m", "messages": HI, "chat_template_kwargs": {"messages": []}},
            "chat_template_kwargs.messages",
        ),
        ({"model": "m", "messages": HI, "chat_template_kwargs": []}, "chat_template_kwargs"),
        ({"model": "m", "messages": HI, "tools": [{"type": "magic"}]}, "tools[0]"),
        ({"model": "m", "messages": HI, "tools": [{"type": "function"}]}, "tools[0].function"),
        (
            {"model": "m", "messages": HI,
             "tools": [{"type": "function", "function": {"name": "a b"}}]},
            "tools[0].function.name",
        ),
        (
            {"model": "m", "messages": HI,
             "tools": [{"type": "function", "function": {"name": "all"}}]},
            "tools[0].function.name",
        ),
        ({"model": "m", "messages": HI, "tools": [WEATHER, WEATHER]}, "tools[1].function.name"),
        (
            {"model": "m", "messages": HI,
             "tools": [{"type": "function",
                        "function": {"name": "f", "parameters": {"type": "string"}}}]},
            "tools[0].function.parameters",
        ),
        (
            {"model": "m", "messages": HI,
             "tools": [{"type": "function", "function": {
                 "name": "f", "parameters": {"properties": {"a": {"type": "no such type"}}}}}]},
            "tools[0].function.parameters/properties/a/type",
        ),
        (
            {"model": "m", "messages": HI,
             "functions": [{"name": "f",
                            "parameters": {"properties": {"a": {"$ref": "#/nowhere"}}}}]},
            "functions[0].parameters/properties/a/$ref",
        ),
        ({"model": "m", "messages": HI, "tools": [WEATHER], "tool_choice": {"type": "function"}},
         "tool_choice"),
        ({"model": "m", "messages": HI, "tools": [WEATHER],
          "tool_choice": {"type": "function", "function": {"name": "zz"}}}, "tool_choice"),
        ({"model": "m", "messages": HI, "tools": [], "tool_choice": "required"}, "tool_choice"),
        ({"model": "m", "messages": HI, "max_tokens": -1}, "max_tokens"),
        ({"model": "m", "messages": HI, "max_completion_tokens": 0}, "max_completion_tokens"),
        ({"model": "m", "messages": [{"role": "user", "content": "word " * 9000}]}, "messages"),
    ],
)  # fmt: skip
def test_bad_requests_name_what_is_wrong(served: Served, body: Any, param: str | None) -> None:
    details = error(post(served, body), 400)
    assert details["type"] == "invalid_request_error"
    assert details["param"] == param


def test_a_body_without_a_content_type_is_json(served: Served) -> None:
    body = json.dumps({"model": "m", "messages": HI})
    response = served.http.post("/v1/chat/completions", content=body)
    assert response.status_code == 200


def test_unknown_models_are_404(served: Served) -> None:
    details = error(served.http.get("/v1/models/zz"), 404)
    assert details["code"] == "model_not_found"


def test_a_body_without_end_is_refused(served: Served) -> None:
    response = post(served, b" " * (33 * 1024 * 1024))
    assert "MiB" in error(response, 413)["message"]


def test_an_engine_that_fails_before_the_first_token_is_a_500(serve: Callable[..., Served]) -> None:
    served = serve({"turn": "all\nHello", "fault": "fail"})
    for stream in (False, True):
        response = post(served, {"model": "m", "messages": HI, "stream": stream})
        assert error(response, 500)["type"] == "server_error"


def test_an_engine_that_fails_in_a_stream_ends_it_with_an_error(
    serve: Callable[..., Served],
) -> None:
    served = serve({"turn": "all\nHello there", "fault": "fail", "after": 2})
    response = post(served, {"model": "m", "messages": HI, "stream": True})
    assert response.status_code == 200
    *_, last = response.text.strip().split("\n\n")
    assert "failed" in json.loads(last.removeprefix("data: "))["error"]["message"]
    assert "[DONE]" not in response.text


def test_a_dead_engine_is_a_503(serve: Callable[..., Served]) -> None:
    served = serve({"turn": "all\nHello", "fault": "die"})
    error(post(served, {"model": "m", "messages": HI}), 503)

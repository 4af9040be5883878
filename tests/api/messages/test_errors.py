"""Errors in Anthropic's shape, whatever went wrong and wherever."""

from collections.abc import Callable
from typing import Any

import anthropic
import httpx
import pytest

from functionary_sgl.admission import Admission
from functionary_sgl.api.keys import Key, Limits
from tests.api.messages.asking import ASK, CALL, HI, ask
from tests.formats import PROMPTERS
from tests.serving import Served, connect_anthropic, scripted_model, serving

Serve = Callable[..., Served]
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGA"
    "WjR9awAAAABJRU5ErkJggg=="
)
PATHS = ["/v1/messages", "/v1/messages/count_tokens"]


def refusal(answer: httpx.Response, status: int, kind: str) -> str:
    """The message of an error, which has to be of this kind."""
    assert answer.status_code == status
    told = answer.json()
    assert told["type"] == "error"
    assert told["error"]["type"] == kind
    names = [answer.headers[header] for header in ("request-id", "x-request-id")]
    assert names == [told["request_id"]] * 2
    message: str = told["error"]["message"]
    return message


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"max_tokens": 0}, "'max_tokens'"),
        ({"max_tokens": None}, "'max_tokens'"),
        ({"messages": []}, "'messages'"),
        ({"messages": [{"role": "tool", "content": "a"}]}, "'messages[0].role'"),
        ({"messages": [{"role": "user"}]}, "'messages[0].content'"),
        ({"tools": [{"name": "f"}]}, "Missing required parameter: 'tools[0].input_schema'"),
        ({"tools": [{"name": "a b", "input_schema": {}}]}, "'tools[0].name'"),
        ({"tools": [{"type": "web_search_20250305", "name": "w"}]}, "'web_search_20250305'"),
        (
            {"tools": [{"name": "f", "input_schema": {"type": "array"}}]},
            "tools[0].input_schema: Parameters of the function 'f' must have the type 'object'",
        ),
        ({"tool_choice": {"type": "required"}}, "'tool_choice.type'"),
        ({"temperature": 3}, "'temperature'"),
        ({"thinking": {"type": "between_tools"}}, "'thinking.type'"),
        (
            {"messages": [HI, {"role": "user", "content": [{"type": "tool_use"}]}]},
            "'messages[1].content[0].id'",
        ),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "image", "source": {"type": "a"}}]}
                ]
            },
            "messages[0].content[0].source: ",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(serve: Serve, fields: Any, told: str) -> None:
    served = serve({"turn": "all\nHello"})
    assert told in refusal(ask(served, **fields), 400, "invalid_request_error")


def test_the_budget_has_to_be_said(serve: Serve) -> None:
    served = serve({"turn": "all\nHello"})
    body = {key: value for key, value in ASK.items() if key != "max_tokens"}
    message = refusal(served.http.post("/v1/messages", json=body), 400, "invalid_request_error")
    assert message == "Missing required parameter: 'max_tokens'."
    assert served.http.post("/v1/messages/count_tokens", json=body).status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_a_model_that_there_is_not(serve: Serve, path: str) -> None:
    served = serve({"turn": "all\nHello"})
    message = refusal(ask(served, path, model="claude-x"), 404, "not_found_error")
    assert "claude-x" in message


def test_paths_and_methods_that_there_are_not(serve: Serve) -> None:
    served = serve({"turn": "all\nHello"})
    batches = served.http.post("/v1/messages/batches", json={})
    assert "/v1/messages" in refusal(batches, 404, "not_found_error")
    assert "allowed: POST" in refusal(served.http.get("/v1/messages"), 405, "invalid_request_error")
    # Others have OpenAI's.
    assert served.http.post("/v1/messagesque", json={}).json()["error"]["code"] is None


@pytest.mark.parametrize("path", PATHS)
def test_bodies_that_are_none(serve: Serve, path: str) -> None:
    served = serve({"turn": "all\nHello"})
    post = served.http.post
    refusal(post(path, content=b"{"), 400, "invalid_request_error")
    refusal(post(path, content=b"[]"), 400, "invalid_request_error")
    text = post(path, content=b"{}", headers={"content-type": "text/plain"})
    refusal(text, 415, "invalid_request_error")
    large = post(path, content=b" " * (33 * 2**20))
    refusal(large, 413, "request_too_large")


@pytest.mark.parametrize("version", ["2023-06-01", "2026-10-21"])
def test_versions_of_the_api(serve: Serve, version: str) -> None:
    served = serve({"turn": "all\nHello"})
    for path in PATHS:
        known = served.http.post(path, json=ASK, headers={"anthropic-version": version})
        assert known.status_code == 200
        unknown = served.http.post(path, json=ASK, headers={"anthropic-version": "2099-01-01"})
        assert "2099-01-01" in refusal(unknown, 400, "invalid_request_error")


@pytest.mark.parametrize("path", PATHS)
def test_keys(serve: Serve, path: str) -> None:
    served = serve({"turn": "all\nHello"}, api_keys=["sesame"])
    message = refusal(served.http.post(path, json=ASK), 401, "authentication_error")
    assert "x-api-key" in message
    for headers in ({"x-api-key": "sesame"}, {"authorization": "Bearer sesame"}):
        assert served.http.post(path, json=ASK, headers=headers).status_code == 200
    assert served.anthropic.with_options(api_key="sesame").messages.create(**ASK).content
    with pytest.raises(anthropic.AuthenticationError):
        served.anthropic.messages.create(**ASK)


def test_a_page_that_may_not_ask(serve: Serve) -> None:
    served = serve({"turn": "all\nHello"})
    headers = {"origin": "https://evil.example"}
    answer = served.http.post("/v1/messages", json=ASK, headers=headers)
    refusal(answer, 403, "permission_error")


def test_what_a_key_may_is_used_up(serve: Serve) -> None:
    key = Key(Key.of("sesame").digest, "one", limits=Limits(per_minute=1))
    served = serve({"turn": "all\nHello"}, api_keys=[key])
    headers = {"x-api-key": "sesame"}
    assert served.http.post("/v1/messages", json=ASK, headers=headers).status_code == 200
    answer = served.http.post("/v1/messages", json=ASK, headers=headers)
    refusal(answer, 429, "rate_limit_error")
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize("stream", [False, True])
def test_a_server_that_has_enough_to_do(stream: bool) -> None:
    model = scripted_model(PROMPTERS["v3.llama3"], {"turn": "all\nHi"}, admission=Admission(1, 0))
    with serving(model) as served, model.admission.place("", 1):
        refusal(ask(served, stream=stream), 429, "rate_limit_error")


def test_a_prompt_that_is_too_long() -> None:
    model = scripted_model(PROMPTERS["v3.llama3"], {"turn": "all\nHello"}, context=200)
    long = {"messages": [{"role": "user", "content": "word " * 500}]}
    with serving(model) as served:
        for path in PATHS:
            message = refusal(ask(served, path, **long), 400, "invalid_request_error")
            assert "maximum context length is 200" in message


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("source", "told"),
    [
        ({"type": "url", "url": "https://example.com/a.png"}, "--allowed-media-domains"),
        ({"type": "base64", "media_type": "image/png", "data": PIXEL}, "sees no images"),
    ],
)
def test_images_that_cannot_be_shown(serve: Serve, path: str, source: Any, told: str) -> None:
    served = serve({"turn": "all\nHello"})
    content = [{"type": "text", "text": "See:"}, {"type": "image", "source": source}]
    refused = ask(served, path, messages=[{"role": "user", "content": content}])
    message = refusal(refused, 400, "invalid_request_error")
    assert message.startswith("messages[0].content[1]: ")
    assert told in message


def test_an_engine_that_fails(serve: Serve) -> None:
    served = serve({"turn": "all\nHello", "fault": "fail", "after": 0})
    assert "Hello" not in refusal(ask(served), 500, "api_error")
    with pytest.raises(anthropic.InternalServerError):
        served.anthropic.messages.create(**ASK)


def test_an_engine_that_fails_in_the_middle(serve: Serve) -> None:
    served = serve({"turn": f"all\nLet me see.>>>{CALL}", "fault": "fail", "after": 4})
    events = []
    with (
        pytest.raises(anthropic.APIStatusError) as failed,
        served.anthropic.messages.stream(**ASK) as stream,
    ):
        events += [event.type for event in stream]
    body: Any = failed.value.body
    assert body["error"]["type"] == "api_error"
    assert body["request_id"] == failed.value.request_id


def test_a_deadline(serve: Serve) -> None:
    served = serve({"turn": "all\nHello", "fault": "stall", "after": 1})
    headers = {"request-timeout-ms": "50"}
    answer = served.http.post("/v1/messages", json=ASK, headers=headers)
    refusal(answer, 504, "timeout_error")


def test_threads_are_refused_in_a_way_that_clients_know(serve: Serve) -> None:
    served = serve({"turn": "all\nHello"})
    answer = ask(served, thread={"type": "create"})
    refusal(answer, 400, "invalid_request_error")
    assert answer.json()["error"]["details"] == {"error_code": "thread_unsupported_request"}


def test_the_client_of_a_server_that_is_not_there() -> None:
    with (
        connect_anthropic("http://127.0.0.1:9") as client,
        pytest.raises(anthropic.APIConnectionError),
    ):
        client.messages.create(**ASK)

"""The contract that all tests check sees what is wrong."""

import asyncio
import json
from typing import Any

import pytest
from openai.types import Model
from starlette.responses import JSONResponse

from tests.contract import Contract, of_response, of_stream, violations
from tests.serving import scripted_model, serving

CHAT = "/v1/chat/completions"
MODEL = {"id": "m", "created": 1, "object": "model", "owned_by": "us"}
CHOICE = {
    "index": 0,
    "message": {"role": "assistant", "content": "Hi", "refusal": None},
    "logprobs": None,
    "finish_reason": "stop",
}
COMPLETION = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [CHOICE],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
DELTA = {"index": 0, "delta": {"content": "Hi"}, "logprobs": None, "finish_reason": None}
CHUNK = {**COMPLETION, "object": "chat.completion.chunk", "choices": [DELTA], "usage": None}
ERROR = {"error": {"message": "No.", "type": "server_error", "param": None, "code": None}}
DONE = b"data: [DONE]\n\n"


def event(content: Any) -> bytes:
    return b"data: " + json.dumps(content).encode() + b"\n\n"


def found(content: Any, status: int = 200, path: str = CHAT) -> list[str]:
    text = json.dumps(content).encode()
    return of_response(path, status, "application/json", text, whole=True)


def with_choice(**fields: Any) -> dict[str, Any]:
    return {**COMPLETION, "choices": [{**CHOICE, **fields}]}


def with_message(**fields: Any) -> dict[str, Any]:
    return with_choice(message={**CHOICE["message"], **fields})  # type: ignore[dict-item]


def test_what_openai_sends_is_in_order() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    reasoned = with_message(tool_calls=[call], reasoning_content="so")
    for answer in (COMPLETION, reasoned, with_message(content=None)):
        assert found(answer) == []
    assert found(ERROR, 400, "/anywhere") == []
    assert found({"object": "list", "data": [MODEL]}, path="/v1/models") == []
    assert found({**MODEL, "template": {}}, path="/v1/models/m") == []
    assert of_stream(event(CHUNK) + event({**CHUNK, "choices": []}) + DONE, whole=True) == []
    assert of_stream(event(CHUNK) + event(ERROR), whole=True) == []
    assert of_stream(event(CHUNK), whole=False) == []


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ({**COMPLETION, "id": None}, "id"),
        ({**COMPLETION, "created": 1.5}, "created"),
        ({**COMPLETION, "created": "1"}, "created"),
        ({**COMPLETION, "object": "chat.completion.chunk"}, "object"),
        ({**COMPLETION, "extra": 1}, "ChatCompletion has no field extra"),
        (with_choice(finish_reason=None), "finish_reason"),
        (with_choice(finish_reason="eos"), "finish_reason"),
        (with_message(role="user"), "role"),
        (with_message(tool_calls=[{"id": "1", "type": "function"}]), "tool_calls"),
        (with_message(thoughts=""), "ChatCompletionMessage has no field thoughts"),
        (with_choice(message={"role": "assistant", "content": "Hi"}), "lacks refusal"),
        ({key: value for key, value in COMPLETION.items() if key != "model"}, "model"),
        (ERROR, "choices"),
        ([], "ChatCompletion"),
    ],
)
def test_answers_that_are_none_are_seen(answer: Any, complaint: str) -> None:
    assert complaint in "\n".join(found(answer))


@pytest.mark.parametrize(
    "error",
    [
        {"detail": "Not Found"},
        {"error": "Not Found"},
        {"error": {"message": "No.", "type": "server_error"}},
        {**ERROR, "detail": 1},
        {"error": {**ERROR["error"], "status": 400}},
    ],
)
def test_errors_that_are_none_are_seen(error: Any) -> None:
    assert found(error, 404, "/anywhere")


@pytest.mark.parametrize(
    "stream",
    [
        event(CHUNK),
        event(CHUNK) + DONE[:-1],
        event(CHUNK) + DONE + event(CHUNK),
        event(CHUNK) + event(ERROR) + DONE,
        event(COMPLETION) + DONE,
        b": ping\n\n" + DONE,
        event({**CHUNK, "choices": [{"index": 0, "delta": {}}]}) + DONE,
        event({**CHUNK, "choices": [{**DELTA, "delta": {"text": "Hi"}}]}) + DONE,
    ],
)
def test_streams_that_are_none_are_seen(stream: bytes) -> None:
    assert of_stream(stream, whole=True)


def test_models_that_are_none_are_seen() -> None:
    assert found({"data": [MODEL]}, path="/v1/models")
    assert violations(Model, json.dumps({**MODEL, "permission": []}).encode())


def test_the_middleware_notes_what_it_sees_and_passes_it_on() -> None:
    contract = Contract(JSONResponse({"detail": "Not Found"}, 404))
    scope = {"type": "http", "method": "GET", "path": "/x", "headers": []}
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    asyncio.run(contract(scope, receive, send))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    (violation, *_) = contract.violations
    assert violation.startswith("GET /x: ")


def test_a_test_with_a_violation_fails(prompter: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.contract.EXTRAS", {})
    with (
        pytest.raises(AssertionError, match="Model has no field max_model_len"),
        serving(scripted_model(prompter, {"turn": "all\nHello"})) as served,
    ):
        served.client.models.list()


MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "Hi"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 1,
        "output_tokens": 1,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
    },
}
REFUSED = {
    "type": "error",
    "error": {"type": "invalid_request_error", "message": "No."},
    "request_id": "req_1",
}
BEGUN = {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}}
BLOCK = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
TEXT = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}}
CLOSED = {"type": "content_block_stop", "index": 0}
ENDED = {
    "type": "message_delta",
    "delta": {"stop_reason": "end_turn", "stop_sequence": None},
    "usage": {"output_tokens": 1},
}
STOPPED = {"type": "message_stop"}
STREAM = [BEGUN, {"type": "ping"}, BLOCK, TEXT, CLOSED, ENDED, STOPPED]


def of_messages(content: Any, status: int = 200, path: str = "/v1/messages") -> list[str]:
    return found(content, status, path)


def of_message_stream(*events: dict[str, Any]) -> list[str]:
    body = b"".join(b"event: " + e["type"].encode() + b"\n" + event(e) for e in events)
    return of_response("/v1/messages", 200, "text/event-stream", body, whole=True)


def test_what_anthropic_sends_is_in_order() -> None:
    assert of_messages(MESSAGE) == []
    assert of_messages(REFUSED, 400) == []
    assert of_messages({"input_tokens": 1}, path="/v1/messages/count_tokens") == []
    assert of_message_stream(*STREAM) == []
    assert of_message_stream(BEGUN, BLOCK, TEXT, REFUSED) == []
    assert of_message_stream(REFUSED) == []


def test_what_it_does_not_send_is_not() -> None:
    assert of_messages({**MESSAGE, "object": "message"})
    assert of_messages({key: value for key, value in MESSAGE.items() if key != "stop_sequence"})
    assert of_messages({**MESSAGE, "stop_reason": "stop"})
    assert of_messages({**MESSAGE, "content": "Hi"})
    assert of_messages(ERROR, 400)
    assert of_messages({**REFUSED, "request_id": None}, 400)
    for wrong in (
        STREAM[1:],
        STREAM[:-1],
        [*STREAM, STOPPED],
        [BEGUN, TEXT, *STREAM[4:]],
        [BEGUN, BLOCK, TEXT, ENDED, STOPPED],
        [BEGUN, BLOCK, {**TEXT, "index": 1}, *STREAM[4:]],
        [BEGUN, BLOCK, BLOCK, *STREAM[3:]],
        [*STREAM[:-2], STOPPED],
    ):
        assert of_message_stream(*wrong), wrong

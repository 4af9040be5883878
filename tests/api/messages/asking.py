"""What tests of messages share: tools in their words, and answers that must be the same when they
are streamed."""

from typing import Any

from anthropic.types import Message

from tests.conftest import WEATHER
from tests.serving import Served

_FUNCTION = WEATHER["function"]
NAME: str = _FUNCTION["name"]
TOOL: dict[str, Any] = {
    "name": NAME,
    "description": _FUNCTION["description"],
    "input_schema": _FUNCTION["parameters"],
}
CALL = f'{NAME}\n{{"location": "Istanbul"}}'
HI: dict[str, Any] = {"role": "user", "content": "Hi"}
QUESTION: dict[str, Any] = {"role": "user", "content": "What is the weather for Istanbul?"}
ASK: dict[str, Any] = {"model": "m", "max_tokens": 512, "messages": [QUESTION], "tools": [TOOL]}


def respond(served: Served, **request: Any) -> Message:
    """The answer, which must be the same when it is streamed and folded by anthropic-python."""
    whole = served.anthropic.messages.create(**request)
    with served.anthropic.messages.stream(**request) as stream:
        streamed = stream.get_final_message()
    assert comparable(streamed) == comparable(whole)
    return whole


def comparable(message: Message) -> Any:
    """All that two answers to the same request have in common."""
    told = message.to_dict(mode="json")
    told.pop("id")
    for block in told["content"]:  # type: ignore[attr-defined]
        block.pop("id", None)
        block.pop("parsed_output", None)
    return told


def said(message: Message) -> list[tuple[Any, ...]]:
    """The blocks of an answer, each as its type and what is in it."""
    return [_said(block.to_dict()) for block in message.content]


def _said(block: dict[str, Any]) -> tuple[Any, ...]:
    if block["type"] == "tool_use":
        return "tool_use", block["name"], block["input"]
    return block["type"], block[block["type"]]


def ask(served: Served, path: str = "/v1/messages", **fields: Any) -> Any:
    """The plain answer to a request with these fields."""
    return served.http.post(path, json={**ASK, **fields})

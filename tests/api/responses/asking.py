"""What tests of responses share: tools in their words, and answers that must be the same when they
are streamed."""

from typing import Any

from openai.types.responses import Response

from tests.conftest import WEATHER
from tests.serving import Served

TOOL: dict[str, Any] = {"type": "function", **WEATHER["function"]}
NAME: str = TOOL["name"]
CALL = f'{NAME}\n{{"location": "Istanbul"}}'
ASK: dict[str, Any] = {"model": "m", "input": "What is the weather for Istanbul?", "tools": [TOOL]}


def respond(served: Served, **request: Any) -> Response:
    """The answer, which must be the same when it is streamed and folded by openai-python."""
    whole = served.client.responses.create(**request)
    with served.client.responses.stream(**request) as stream:
        streamed: Any = None
        for event in stream:
            if event.type in ("response.completed", "response.incomplete"):
                streamed = event.response
    assert comparable(streamed) == comparable(whole)
    assert isinstance(whole, Response)
    return whole


def comparable(response: Response) -> Any:
    """All that two answers to the same request have in common."""
    told = response.model_dump(exclude={"id", "created_at"}, warnings=False)
    for item in told["output"]:
        item.pop("id")
        item.pop("call_id", None)
        item.pop("parsed_arguments", None)
        for part in item.get("content") or ():
            part.pop("parsed", None)
    return told


def said(response: Response) -> list[tuple[str, ...]]:
    """The items of an output, each as its type and what is in it."""
    return [_said(item.to_dict()) for item in response.output]


def _said(item: dict[str, Any]) -> tuple[str, ...]:
    match item["type"]:
        case "function_call":
            return "function_call", item["name"], item["arguments"]
        case "custom_tool_call":
            return "custom_tool_call", item["name"], item["input"]
    return item["type"], *(part["text"] for part in item["content"])


def ask(served: Served, **fields: Any) -> Any:
    """The plain answer to a request with these fields."""
    return served.http.post("/v1/responses", json={**ASK, **fields})

"""A request as Functionary's reference reads it, before a template shows it."""

import json
from typing import Any, NamedTuple

from tests.prompt.reference_texts import PYTHON

Request = dict[str, Any]
Message = dict[str, Any]


class Asked(NamedTuple):
    """A request: its messages with the results in the order of the calls, the functions, whether
    there is a code interpreter, and all tools as functions, in the client's order."""

    messages: list[Message]
    functions: list[dict[str, Any]]
    code: bool
    all: list[dict[str, Any]]


def read(request: Request) -> Asked:
    """The request, with nothing that no template shows."""
    tools = request.get("tools") or [
        {"type": "function", "function": function} for function in request.get("functions") or ()
    ]
    functions = [_shown(tool) for tool in tools if tool["type"] == "function"]
    return Asked(
        _ordered(request["messages"]),
        functions,
        len(functions) < len(tools),
        [_shown(tool) for tool in tools],
    )


def _shown(tool: dict[str, Any]) -> dict[str, Any]:
    if tool["type"] == "code_interpreter":
        return PYTHON
    function = tool["function"]
    return {
        "name": function["name"],
        "description": function.get("description", ""),
        "parameters": function.get("parameters"),
    }


def _ordered(messages: list[Message]) -> list[Message]:
    left, ordered = list(messages), []
    while left:
        ordered.append(left.pop(0))
        ids = [call.get("id") for call in ordered[-1].get("tool_calls") or ()]
        if ids and ids[0] is not None:
            results = {message["tool_call_id"]: message for message in left[: len(ids)]}
            ordered += [results[call_id] for call_id in ids]
            del left[: len(ids)]
    return ordered


def dump(value: Any) -> str:
    """JSON as it is shown."""
    return json.dumps(value, ensure_ascii=False)


def called(message: Message) -> list[tuple[str, str]]:
    """Names and arguments."""
    given = message.get("tool_calls") or ()
    return [(call["function"]["name"], call["function"]["arguments"]) for call in given]


def with_images(message: Message, image: str) -> str:
    """The text of the message, `image` where it has one."""
    content = message["content"] or ""
    if isinstance(content, str):
        return content
    return "".join(part["text"] if part["type"] == "text" else image for part in content)

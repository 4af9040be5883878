"""What is asked of weights that mean nothing: every answer ends, whatever is drawn.

Text has a number of tokens, calls are required, strings have a number of characters: all servers do
the same work. No enums, numbers or narrow patterns: of what a value can also be spelled as
(`\\u0065`, `1e2`) a model makes no use, and random weights much, where a server lets it pass.
"""

import json
from collections.abc import Callable
from typing import Any

from benchmarks.serving.workloads import (
    NAMES,
    REQUIRED,
    Conversation,
    Message,
    Workload,
    always,
    chat,
    city,
    function,
    never,
    user,
)

_ASKED = {"temperature": 0, "max_tokens": 400, **REQUIRED}
_DRAWN = {"temperature": 0.6, "top_p": 0.9}
"""As Llama 3 is by default."""

_BOOLEAN = {"type": "boolean"}


def _text(length: int) -> dict[str, Any]:
    return {"type": "string", "minLength": length, "maxLength": length}


def _closed(name: str, properties: dict[str, Any]) -> dict[str, Any]:
    """A tool that takes all of `properties` and nothing else."""
    made = function(name, properties, [*properties])
    made["function"]["parameters"]["additionalProperties"] = False
    return made


def tools(count: int) -> list[dict[str, Any]]:
    """As many to choose from, whose calls are about as long as each other."""
    properties = {"record": _text(8), "owner": _text(16), "notify": _BOOLEAN}
    return [_closed(name, properties) for name in NAMES[:count]]


_TEN = _closed(
    "create_customer",
    {
        "first_name": _text(8),
        "last_name": _text(8),
        "email_address": _text(20),
        "phone_number": _text(12),
        "street_and_number": _text(16),
        "postal_code": _text(5),
        "city_of_residence": _text(8),
        "country_code": _text(2),
        "newsletter_subscription": _BOOLEAN,
        "preferred_contact_channel": _text(5),
    },
)
_LETTER = _closed("send_letter", {"recipient": _text(16), "text": _text(240)})


def _call(*offered: dict[str, Any], **fields: Any) -> Callable[[int], Conversation]:
    def begin(number: int) -> Conversation:
        text = f"Do it for number {number}, from {city(number)}."
        yield {**_ASKED, **fields, "messages": user(text), "tools": [*offered]}

    return begin


def _agent(number: int) -> Conversation:
    """Four calls, each behind the result of the one before; fewer where none comes."""
    messages: list[Message] = user(f"Do it all for number {number}, from {city(number)}.")
    for step in range(4):
        answer = yield {**_ASKED, "messages": list(messages), "tools": tools(5)}
        if not answer.get("tool_calls"):
            return
        messages.append(answer)
        for call in answer["tool_calls"]:
            result = json.dumps({"step": step, "done": city(number + step)})
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})


BOUNDED = (
    Workload("chat", chat, calls=never, by_schema=True),
    Workload("1 tool", _call(*tools(1)), calls=always, by_schema=True),
    Workload("5 tools", _call(*tools(5)), calls=always, by_schema=True),
    Workload("50 tools", _call(*tools(50)), calls=always, by_schema=True),
    Workload("ten keys", _call(_TEN), calls=always, by_schema=True),
    Workload("ten keys, drawn", _call(_TEN, **_DRAWN), calls=always, by_schema=True),
    Workload("letter", _call(_LETTER), calls=always, by_schema=True),
    Workload("agent loop", _agent, calls=always, by_schema=True),
)

"""What is asked: conversations in the words of the embedded model, each a little different.

A conversation is a generator: it yields a request and gets the message that answers it.
"""

import json
from collections.abc import Callable, Generator
from dataclasses import dataclass
from itertools import product
from typing import Any

Request = dict[str, Any]
Message = dict[str, Any]
Conversation = Generator[Request, Message, None]

_CITIES = (
    *("Rome", "Oslo", "Lima", "Cairo", "Paris", "Tokyo", "Quito", "Delhi", "Berlin", "Madrid"),
    *("Vienna", "Dublin", "Athens", "Lisbon", "Prague", "Warsaw", "Boston", "Denver", "Kyoto"),
)
_VERBS = ("get", "find", "create", "update", "delete", "list", "send", "check", "book", "cancel")
_NOUNS = ("invoice", "meeting", "parcel", "ticket", "report")
NAMES = [f"{verb}_{noun}" for verb, noun in product(_VERBS, _NOUNS)]
"""Of functions, fifty."""

_DRAWN = {"temperature": 0, "max_tokens": 400}
# One call: SGLang's own server goes on with others to the end of its tokens.
REQUIRED: dict[str, Any] = {"tool_choice": "required", "parallel_tool_calls": False}


@dataclass(frozen=True)
class Workload:
    """`begin` makes the conversation of this number; `calls`: whether the answer to a request is to
    be a call, else it is to be text. SGLang's own server can be asked for it where `by_schema`:
    there a schema says what comes, and no format has to be read."""

    name: str
    begin: Callable[[int], Conversation]
    calls: Callable[[Request], bool]
    by_schema: bool


def always(request: Request) -> bool:
    return True


def never(request: Request) -> bool:
    return False


def _after_a_question(request: Request) -> bool:
    """A call where the user asks, and text where its result has come."""
    return bool(request["messages"][-1]["role"] == "user")


def city(number: int) -> str:
    """A city that few conversations have in common."""
    return _CITIES[number % len(_CITIES)]


def function(name: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    """A tool, as in a request."""
    parameters = {"type": "object", "properties": properties, "required": required}
    described = f"{name.replace('_', ' ').capitalize()}."
    return {
        "type": "function",
        "function": {"name": name, "description": described, "parameters": parameters},
    }


WEATHER = function(
    "get_weather",
    {"location": {"type": "string"}, "unit": {"enum": ["celsius", "fahrenheit"]}},
    ["location"],
)


def tools(count: int) -> list[dict[str, Any]]:
    """The weather, and others to choose from."""
    properties = {
        "id": {"type": "integer", "description": "Number of the record"},
        "name": {"type": "string", "description": "Name of the owner"},
        "notify": {"type": "boolean"},
    }
    others = [function(name, properties, ["id", "name"]) for name in NAMES[: count - 1]]
    return [WEATHER, *others]


_TEN = function(
    "create_customer",
    {
        "first_name": {"type": "string", "maxLength": 20},
        "last_name": {"type": "string", "maxLength": 20},
        "email_address": {"type": "string", "maxLength": 30},
        "phone_number": {"type": "string", "maxLength": 16},
        "street_and_number": {"type": "string", "maxLength": 30},
        "postal_code": {"type": "string", "maxLength": 8},
        "city_of_residence": {"type": "string", "maxLength": 20},
        "country_code": {"enum": ["de", "fr", "it", "us"]},
        "newsletter_subscription": {"type": "boolean"},
        "preferred_contact_channel": {"enum": ["email", "phone", "letter"]},
    },
    [
        *("first_name", "last_name", "email_address", "phone_number", "street_and_number"),
        *("postal_code", "city_of_residence", "country_code", "newsletter_subscription"),
        "preferred_contact_channel",
    ],
)


def user(text: str) -> list[Message]:
    """The first message of a conversation."""
    return [{"role": "user", "content": text}]


def chat(number: int) -> Conversation:
    """Sixty tokens of text."""
    text = f"Hello, I am from {city(number)}. Thank you for number {number}!"
    yield {**_DRAWN, "max_tokens": 60, "messages": user(text), "min_tokens": 60}


def _weather(
    count: int, said: str = "what's the weather like in {}?", **fields: Any
) -> Callable[[int], Conversation]:
    def begin(number: int) -> Conversation:
        text = said.format(city(number), city(number + 7))
        yield {**_DRAWN, **fields, "messages": user(text), "tools": tools(count)}

    return begin


def _ten_keys(number: int) -> Conversation:
    text = f"create a customer: Ada Byron, ada{number}@example.org, 5551234, Main Street 5, 12345, "
    text += f"{city(number)}, it, no newsletter, by email"
    yield {**_DRAWN, **REQUIRED, "messages": user(text), "tools": [_TEN]}


def _agent(number: int) -> Conversation:
    """Six turns: three questions, each with a call and its result. It ends where the model goes
    astray."""
    offered, messages = tools(5), []
    for question in range(3):
        messages += user(f"what's the weather like in {city(number + question)}?")
        answer = yield {**_DRAWN, "messages": list(messages), "tools": offered}
        if not answer.get("tool_calls"):
            return
        messages.append(answer)
        for call in answer["tool_calls"]:
            result = json.dumps({"temperature": 10 + question, "sky": "clear"})
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
        answer = yield {**_DRAWN, "messages": list(messages), "tools": offered}
        if answer.get("tool_calls"):
            return
        messages.append(answer)


WORKLOADS = (
    Workload("chat", chat, calls=never, by_schema=True),
    Workload("weather", _weather(1), calls=always, by_schema=False),
    Workload("auto, 5 tools", _weather(5), calls=always, by_schema=False),
    Workload("auto, 50 tools", _weather(50), calls=always, by_schema=False),
    Workload("required, 5 tools", _weather(5, **REQUIRED), calls=always, by_schema=True),
    Workload("required, 50 tools", _weather(50, **REQUIRED), calls=always, by_schema=True),
    Workload("ten keys", _ten_keys, calls=always, by_schema=True),
    Workload(
        "two cities",
        _weather(1, "what's the weather like in {} and in {}?"),
        calls=always,
        by_schema=False,
    ),
    Workload("agent loop", _agent, calls=_after_a_question, by_schema=False),
)

"""The scenarios of Functionary's own tests, answered by functionary-nano: rightly, not only in the
right form."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest
from openai.types.chat import ChatCompletionMessage

from tests.conftest import WEATHER
from tests.engine.conftest import RunningEngine

_TABLE = {
    "type": "function",
    "function": {
        "name": "book_table",
        "description": "Book a table",
        "parameters": {
            "type": "object",
            "properties": {
                "name": {"type": "string", "description": "Name of the person"},
                "guests": {"type": "integer", "description": "Number of guests"},
            },
            "required": ["name", "guests"],
        },
    },
}
_CODE = {"type": "code_interpreter"}
_WEATHER = WEATHER["function"]["name"]


def _user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


_ASKED = _user("What is the weather for Istanbul?")
_RESULT = [
    _ASKED,
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": "call_1",
                "type": "function",
                "function": {"name": _WEATHER, "arguments": '{"location": "Istanbul"}'},
            }
        ],
    },
    {
        "role": "tool",
        "tool_call_id": "call_1",
        "content": '{"temperature": 23, "condition": "sunny"}',
    },
]


class Scenario(NamedTuple):
    """calls: the names and arguments that are right (of code, its text). says: parts of the text
    that is right; None where there must be no text."""

    messages: list[dict[str, Any]]
    fields: dict[str, Any]
    calls: Sequence[tuple[str, Any]] = ()
    says: Sequence[str] | None = None


_ISTANBUL = (_WEATHER, {"location": "Istanbul"})
SCENARIOS = {
    "text": Scenario([_user("Hello!")], {}, says=["help"]),
    "text beside tools": Scenario([_user("Thank you!")], {"tools": [WEATHER]}, says=["welcome"]),
    "single": Scenario([_ASKED], {"tools": [WEATHER]}, [_ISTANBUL]),
    "one of several": Scenario([_ASKED], {"tools": [_TABLE, WEATHER]}, [_ISTANBUL]),
    "parallel": Scenario(
        [_user("What is the weather in Paris and Oslo?")],
        {"tools": [WEATHER]},
        [(_WEATHER, {"location": "Paris"}), (_WEATHER, {"location": "Oslo"})],
    ),
    "two functions": Scenario(
        [_user("What is the weather in Rome, and book a table for Anna for 4 guests.")],
        {"tools": [WEATHER, _TABLE]},
        [(_WEATHER, {"location": "Rome"}), ("book_table", {"name": "Anna", "guests": 4})],
    ),
    "text plus call": Scenario(
        [_user("First say what you do, then show me the weather in Paris.")],
        {"tools": [WEATHER]},
        [(_WEATHER, {"location": "Paris"})],
        says=[_WEATHER],
    ),
    "a value is missing": Scenario(
        [_user("Show me the current weather.")], {"tools": [WEATHER]}, says=["location"]
    ),
    "a value is missing, in fewer words": Scenario(
        [_user("Show me the weather.")], {"tools": [WEATHER]}, says=["location"]
    ),
    "a result": Scenario(_RESULT, {"tools": [WEATHER]}, says=["23", "sunny"]),
    "none": Scenario([_user("Hello!")], {"tools": [WEATHER], "tool_choice": "none"}, says=["help"]),
    "named": Scenario(
        [_ASKED],
        {
            "tools": [_TABLE, WEATHER],
            "tool_choice": {"type": "function", "function": {"name": _WEATHER}},
        },
        [_ISTANBUL],
    ),
    "required": Scenario(
        [_ASKED], {"tools": [WEATHER, _TABLE], "tool_choice": "required"}, [_ISTANBUL]
    ),
    "code": Scenario(
        [_user("What is 12 plus 30?")], {"tools": [_CODE]}, [("python", "print(12 + 30)")]
    ),
}


def _answer(engine: RunningEngine, scenario: Scenario, stream: bool) -> tuple[Any, str]:
    """The message and its finish reason."""
    request: dict[str, Any] = {
        "model": "functionary-nano",
        "messages": scenario.messages,
        "temperature": 0,
        "max_tokens": 100,
        **scenario.fields,
    }
    if stream:
        with engine.client.chat.completions.stream(**request) as chunks:
            choice = chunks.get_final_completion().choices[0]
    else:
        choice = engine.client.chat.completions.create(**request).choices[0]
    return choice.message, choice.finish_reason


def _calls(message: ChatCompletionMessage) -> list[tuple[str, Any]]:
    functions: list[Any] = [call.function for call in message.tool_calls or ()]  # type: ignore
    return [
        (f.name, f.arguments if f.name == "python" else json.loads(f.arguments)) for f in functions
    ]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_it_is_answered_rightly(engine: RunningEngine, scenario: Scenario, stream: bool) -> None:
    message, finish_reason = _answer(engine, scenario, stream)
    assert _calls(message) == list(scenario.calls)
    chosen = isinstance(
        scenario.fields.get("tool_choice"), dict
    )  # by the client: no decision to call
    assert finish_reason == ("tool_calls" if scenario.calls and not chosen else "stop")
    if scenario.says is None:
        assert not message.content
    else:
        assert all(part in message.content for part in scenario.says), message.content


def test_legacy_functions(engine: RunningEngine) -> None:
    """The loop of the first function-calling clients: call, result, text."""
    messages: list[Any] = [_ASKED]
    request: dict[str, Any] = {
        "model": "functionary-nano",
        "functions": [WEATHER["function"]],
        "temperature": 0,
    }
    create = engine.client.chat.completions.create
    called = create(messages=messages, **request).choices[0]
    assert called.finish_reason == "function_call"
    call = called.message.function_call
    assert call is not None
    assert (call.name, json.loads(call.arguments)) == _ISTANBUL
    messages += [
        called.message.to_dict(),
        {"role": "function", "name": call.name, "content": _RESULT[-1]["content"]},
    ]
    told = create(messages=messages, **request).choices[0]
    assert told.finish_reason == "stop"
    assert "23" in (told.message.content or "")

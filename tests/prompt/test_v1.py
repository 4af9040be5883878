"""The prompt of functionary-7b-v1.4, for which the reference's servers have no working one.

The expected text is that of its working form, as the reference documented it in 2023.
"""

import json
from typing import Any

import pytest

from functionary_sgl.api.chat import intake
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.errors import RequestError
from functionary_sgl.runtime.prompt import Prompt
from tests.formats import PROMPTERS

NOW = {"type": "function", "function": {"name": "now", "description": "Current time"}}
BEGINNING = (
    "system:\n// Supported function definitions that should be called when necessary.\n"
    "namespace functions {\n\n// Current time\ntype now = () => any;\n\n} // namespace functions"
    "<|END_OF_SYSTEM|>\nsystem:\nA chat between a curious user and an artificial intelligence "
    "assistant. The assistant gives helpful, detailed, and polite answers to the user's questions. "
    "The assistant calls functions with appropriate input when necessary<|END_OF_SYSTEM|>\n"
)
CALL = {"id": "call_1", "type": "function", "function": {"name": "now", "arguments": "{}"}}
HISTORY = [
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Ok", "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call_1", "content": "10:00"},
]


def prompt(messages: Any, **fields: Any) -> Prompt:
    body = {"model": "m", "messages": messages, "tools": [NOW], **fields}
    return PROMPTERS["v1"].opened(intake.conversation(ChatRequest.from_json(json.dumps(body))))


def test_a_conversation_with_a_call() -> None:
    assert prompt(HISTORY) == BEGINNING + (
        "user:\nHi<|END_OF_USER|>\nassistant:\nOk\n<|START_OF_FUNCTION_CALL|>now:\n{}"
        "<|END_OF_FUNCTION_CALL|>\nfunction name=now:\n10:00<|END_OF_FUNCTION_RESULT|>\nassistant:"
    )


def test_a_turn_that_says_nothing_is_a_turn() -> None:
    silent = [{"role": "user", "content": ""}, {"role": "assistant", "content": ""}]
    assert prompt(silent) == BEGINNING + (
        "user:\n<|END_OF_USER|>\nassistant:\n<|END_OF_ASSISTANT|>\nassistant:"
    )


def test_a_call_that_is_asked_for() -> None:
    choice = {"type": "function", "function": {"name": "now"}}
    end = "assistant:\n<|START_OF_FUNCTION_CALL|>now:\n"
    assert prompt(HISTORY[:1], tool_choice=choice).endswith(end)


def test_it_has_no_code_interpreter() -> None:
    with pytest.raises(RequestError, match="no code interpreter"):
        prompt(HISTORY[:1], tools=[{"type": "code_interpreter"}])

"""`continue_final_message`: the answer goes on in the assistant's last message."""

import json
from typing import Any

import pytest
from hypothesis import given, settings

from functionary_sgl.api.chat import intake
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.turns import FORMATS
from tests.formats import CALLS_OR_TEXT, PROMPTERS, written
from tests.replay import NAMES, cuts, payloads, replay

BEGUN = "Dear John, "
MESSAGES = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": BEGUN}]
CONTINUED: dict[str, Any] = {
    "messages": MESSAGES,
    "continue_final_message": True,
    "add_generation_prompt": False,
}

ENDS_WITH_TEXT = {"gpt-oss"}
"""Where a text that has begun is the answer, which ends the turn."""


@pytest.mark.parametrize("format", FORMATS)
def test_the_prompt_ends_with_the_message(format: str) -> None:
    request = ChatRequest.from_json(json.dumps({"model": "m", **CONTINUED}))
    conversation = intake.conversation(request)
    prompter = PROMPTERS[format]
    prompt = prompter.prompt(conversation)
    assert prompt.endswith(BEGUN)
    whole = prompter.prompt(conversation.without_last()[0])
    assert prompter.opening(prompt, prompter.offers.of(conversation)) == ("", [])
    # As the template writes it in a history, which may open reasoning otherwise than for an answer.
    if not FORMATS[format].reasons:
        assert prompt.startswith(whole)
        begun = prompt.removeprefix(whole).removeprefix(" ")  # Mistral's have a space
        assert begun in (written(format, BEGUN, []), BEGUN)


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=8)
@given(payloads, cuts)
def test_what_goes_on_is_the_answer(format: str, text: str, cut: Any) -> None:
    answer = replay(PROMPTERS[format], " " + text, cut, **CONTINUED, tools=[])
    assert answer.said == (" " + text, [])
    assert answer.finish_reason == "stop"


@pytest.mark.parametrize("format", sorted(FORMATS.keys() - CALLS_OR_TEXT - ENDS_WITH_TEXT))
def test_a_call_may_follow(format: str) -> None:
    made = [(NAMES[0], '{"k": 1}')]
    turn = written(format, "I shall look.", made)
    opened = written(format, "I shall", [])
    turn = turn.removeprefix(opened)
    answer = replay(PROMPTERS[format], turn, **CONTINUED)
    assert answer.said == (" look.", made)


@pytest.mark.parametrize("format", FORMATS)
def test_what_goes_on_may_have_a_form(format: str) -> None:
    answer = replay(PROMPTERS[format], "555", **CONTINUED, guided_regex=r"\d+")
    assert answer.said == ("555", [])

"""gpt-oss: messages in channels."""

import json
from typing import Any

import pytest

from functionary_sgl.chat.conversation import Call, Conversation, Message
from functionary_sgl.prompt import detect
from functionary_sgl.prompt.checkpoint import Checkpoint
from functionary_sgl.turns import FORMATS
from tests.conftest import TINY
from tests.formats import PROMPTERS, ended, lasting, own_template
from tests.prompt.test_encode import turn_and_next_prompt
from tests.replay import replay

FORMAT = FORMATS["gpt-oss"]
PROMPTER = PROMPTERS["gpt-oss"]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": SCHEMA}}
    for name in ("get", "get_weather")
]
ROME = '{"city": "Rome"}'
AGAIN = "<|end|><|start|>assistant"
THOUGHT = f"<|channel|>analysis<|message|>Hm.{AGAIN}"
PREAMBLE = f"<|channel|>commentary<|message|>Sure.{AGAIN}"
# What models write before the arguments.
HEADERS = [
    "<|channel|>commentary to=functions.{} <|constrain|>json<|message|>",
    "<|channel|>commentary to=functions.{}<|constrain|>json<|message|>",
    "<|channel|>commentary to=functions.{} json<|message|>",
    "<|channel|>commentary to=functions.{}<|message|>",
    " to=functions.{}<|channel|>commentary <|constrain|>json<|message|>",
    " to=functions.{}<|channel|>commentary json<|message|>",
]


def test_it_is_known_by_what_its_template_writes() -> None:
    checkpoint = Checkpoint(TINY, PROMPTER.tokenizer, own_template(FORMAT), {})
    assert detect.detect(checkpoint).format is FORMAT


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("name", ["get", "get_weather"])
@pytest.mark.parametrize("constraints", ["schema", "names", "off"])
@pytest.mark.parametrize("cut", [1, "all"])
def test_a_call_is_one_however_it_is_addressed(
    header: str, name: str, constraints: Any, cut: Any
) -> None:
    turn = f"{THOUGHT}{PREAMBLE}{header.format(name)}{ROME}<|call|>"
    answer = replay(PROMPTER, turn, cut, tools=TOOLS, constraints=constraints)
    assert answer.said == ("Sure.", [(name, ROME)])
    assert answer.message["reasoning_content"] == "Hm."
    assert turn.removesuffix("<|call|>") in PROMPTER.tokenizer.decode(answer.ids)


@pytest.mark.parametrize("header", HEADERS)
def test_a_call_that_has_to_be_may_be_thought_about(header: str) -> None:
    turn = f"{THOUGHT}{header.format('get_weather')}{ROME}<|call|>"
    named = {"type": "function", "function": {"name": "get_weather"}}
    for choice in ("required", named):
        answer = replay(PROMPTER, turn, tools=TOOLS, tool_choice=choice)
        assert answer.said == (None, [("get_weather", ROME)])
        assert answer.message["reasoning_content"] == "Hm."


def test_texts_before_a_call_stand_on_lines_of_their_own() -> None:
    turn = f"{PREAMBLE}{PREAMBLE}{HEADERS[0].format('get')}{ROME}<|call|>"
    assert replay(PROMPTER, turn, tools=TOOLS).said == ("Sure.\nSure.", [("get", ROME)])


def test_an_answer_in_a_form_may_be_thought_about_too() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}
    turn = f"{THOUGHT}<|channel|>final<|message|>{ROME}<|return|>"
    answer = replay(PROMPTER, turn, tools=TOOLS, response_format=form)
    assert (answer.said, answer.message["reasoning_content"]) == ((ROME, []), "Hm.")


def test_a_model_that_shall_not_reason_does_not() -> None:
    turn = f"{THOUGHT}<|channel|>final<|message|>Fine.<|return|>"
    answer = replay(PROMPTER, turn, tools=TOOLS, reasoning_effort="none")
    assert "reasoning_content" not in answer.message


@pytest.mark.parametrize("tokens", FORMAT.control_tokens)
def test_text_that_is_spelt_like_a_token_ends_nothing(tokens: str) -> None:
    called = [("get", json.dumps({"city": f"Rome {tokens}"}))]
    answer = replay(PROMPTER, ended("gpt-oss", None, called), "char", tools=TOOLS)
    assert answer.said == (None, called)


@pytest.mark.parametrize("echo", [True, False])
def test_the_next_prompt_begins_with_the_turn(echo: bool) -> None:
    turn = ended("gpt-oss", "Sure.", [("get", ROME)], "Hm.")
    before, after = turn_and_next_prompt(PROMPTER, turn, "char", TOOLS, echo=echo)
    before = lasting("gpt-oss", before)
    assert after[: len(before)] == before


def called(*names: str) -> list[Message]:
    calls = tuple(Call(name, ROME, f"id of {name}") for name in names)
    results = [Message("tool", f"of {c.name}", (), c.name, c.id) for c in calls]
    return [Message("user", "Hi"), Message("assistant", "", calls), *results]


def test_several_calls_of_a_message_are_shown_one_after_the_other() -> None:
    """Its template shows one of each."""
    shown = str(PROMPTER.prompt(Conversation(tuple(called("get", "now")))))
    _, first, second = shown.split("<|start|>assistant to=functions.")
    assert first.startswith(f"get<|channel|>commentary json<|message|>{ROME}<|call|>")
    assert first.endswith(
        '<|start|>functions.get to=assistant<|channel|>commentary<|message|>"of get"<|end|>'
    )
    assert second.startswith("now<")
    assert '"of now"' in second


def test_text_and_thought_before_a_call_are_shown_as_thought() -> None:
    """Its template takes one of both."""
    user, call, result = called("get")
    said = Message("assistant", "Sure.", call.calls, reasoning="Hm.")
    shown = str(PROMPTER.prompt(Conversation((user, said, result))))
    assert "<|channel|>analysis<|message|>Hm.\n\nSure.<|end|><|start|>assistant to=" in shown


def test_how_much_it_shall_reason_is_said_to_the_template() -> None:
    for said in ({"effort": "high"}, {"template_options": {"reasoning_effort": "high"}}):
        asked = Conversation((Message("user", "Hi"),), **said)  # type: ignore[arg-type]
        assert "Reasoning: high\n" in str(PROMPTER.prompt(asked))

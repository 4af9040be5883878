"""GLM 4.5 to 5 and Ling 3: calls as keys and values in tags that are tokens of the model's."""

import json
from typing import Any

import pytest

from functionary_sgl.chat.conversation import Conversation, Message
from functionary_sgl.prompt import detect
from functionary_sgl.prompt.checkpoint import Checkpoint
from functionary_sgl.prompt.own_template import OwnTemplate
from functionary_sgl.turns import FORMATS
from tests.conftest import TINY
from tests.formats import PROMPTERS, SPECIAL_TOKENS, ended, own_template
from tests.prompt.test_encode import turn_and_next_prompt
from tests.replay import replay

MODELS = ("glm-4.5", "glm-4.7", "ling-3")
every_model = pytest.mark.parametrize("model", MODELS)


def tool(name: str, required: tuple[str, ...] = ("city",)) -> dict[str, Any]:
    properties = {
        "city": {"type": "string"},
        "days": {"type": "integer"},
        "near": {"type": ["string", "null"]},
    }
    schema = {"type": "object", "properties": properties, "required": [*required]}
    return {"type": "function", "function": {"name": name, "parameters": schema}}


TOOLS = [tool("get"), tool("get_weather")]
CITY = '{"city": "Rome", "days": 3}'
CALLS = [("get_weather", CITY), ("get", CITY)]


@every_model
def test_it_is_known_by_what_its_template_writes(model: str) -> None:
    own = own_template(FORMATS[model])
    checkpoint = Checkpoint(TINY, PROMPTERS[model].tokenizer, own, {})
    assert detect.detect(checkpoint).format.name == model


def test_reasoning_that_every_prompt_opens_is_known_too() -> None:
    """As GLM 5.3's does, which shows no turn without it."""
    own = own_template(FORMATS["glm-4.7"])
    assert own is not None
    always = own.text.replace("'</think>' if enable_thinking is", "'<think>' if enable_thinking is")
    always = always.replace("'</think>' + message.content", "'<think></think>' + message.content")
    found = OwnTemplate(always, SPECIAL_TOKENS)
    checkpoint = Checkpoint(TINY, PROMPTERS["glm-4.7"].tokenizer, found, {})
    assert detect.detect(checkpoint).format.name == "glm-4.7"


@every_model
@pytest.mark.parametrize("cut", [1, "char", "all"])
def test_turns_are_told(model: str, cut: Any) -> None:
    turn = ended(model, "Sure.", CALLS, "Hm.")
    answer = replay(PROMPTERS[model], turn, cut, tools=TOOLS)
    assert answer.said == ("Sure.", CALLS)
    assert answer.message["reasoning_content"] == "Hm."


@every_model
@pytest.mark.parametrize("name", ["get", "get_weather"])
@pytest.mark.parametrize("arguments", ["{}", CITY])
@pytest.mark.parametrize("constraints", ["schema", "names", "off"])
def test_a_name_that_begins_another_is_told_apart(
    model: str, name: str, arguments: str, constraints: Any
) -> None:
    free = [tool(known, required=()) for known in ("get", "get_weather")]
    turn = ended(model, None, [(name, arguments)])
    answer = replay(PROMPTERS[model], turn, "char", tools=free, constraints=constraints)
    (called,) = answer.said[1]
    assert (called[0], json.loads(called[1])) == (name, json.loads(arguments))


@every_model
def test_calls_that_have_to_be_are_written_as_the_template_shows_them(model: str) -> None:
    turn = ended(model, None, CALLS, "Hm.")
    answer = replay(PROMPTERS[model], turn, tools=TOOLS, tool_choice="required")
    assert answer.said == (None, CALLS)
    assert turn in PROMPTERS[model].tokenizer.decode(answer.ids)


@every_model
@pytest.mark.parametrize("choice", ["auto", "required"])
def test_a_model_that_shall_not_reason_does_not(model: str, choice: str) -> None:
    """The template has closed its reasoning then."""
    prompter = PROMPTERS[model]
    silent = Conversation((Message("user", "Hi"),), reasoning=False)
    assert str(prompter.prompt(silent)).endswith("</think>")
    turn = ended(model, None, CALLS).partition("</think>")[2]
    fields = {"tools": TOOLS, "tool_choice": choice, "reasoning_effort": "none"}
    answer = replay(prompter, turn, **fields)
    assert answer.said == (None, CALLS)
    assert f"</think>{turn}" in prompter.tokenizer.decode(answer.ids)


@every_model
def test_the_next_prompt_begins_with_the_turn(model: str) -> None:
    turn = ended(model, "Sure.", CALLS, "Hm.")
    before, after = turn_and_next_prompt(PROMPTERS[model], turn, "char", TOOLS)
    assert after[: len(before)] == before


@every_model
@pytest.mark.parametrize("text", ["<arg_value>", "</arg_key>", "</tool_call>", "<arg_key>k", " \n"])
@pytest.mark.parametrize("constraints", ["schema", "off"])
def test_a_string_may_have_other_tags(model: str, text: str, constraints: Any) -> None:
    called = [("get", json.dumps({"city": f"Rome{text}{text} "}))]
    turn = ended(model, None, called)
    answer = replay(PROMPTERS[model], turn, "char", tools=TOOLS, constraints=constraints)
    assert answer.said == (None, called)


@every_model
@pytest.mark.parametrize("told", ["Oslo", "null"])
def test_a_text_that_is_json_of_something_else_is_that(model: str, told: str) -> None:
    value = None if told == "null" else told
    called = [("get", json.dumps({"city": "10115", "near": value}))]
    answer = replay(PROMPTERS[model], ended(model, None, called), tools=TOOLS)
    assert answer.said == (None, called)


def test_a_mark_is_a_token_and_text_that_looks_like_it_is_text() -> None:
    """So a string may have the mark with which it ends, if the model writes it as text."""
    prompter = PROMPTERS["glm-4.7"]
    said = Message("assistant", "<tool_call>now</tool_call></arg_value>")
    shown = prompter.prompt(Conversation((Message("user", "Hi"), said, Message("user", "And?"))))
    ids = [prompter.tokenizer.control_ids[tag] for tag in ("<tool_call>", "</arg_value>")]
    assert not set(ids) & set(shown.token_ids)

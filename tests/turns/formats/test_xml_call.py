"""Models whose calls are XML, each with the spaces of its own chat template."""

import json
from typing import Any

import pytest

from functionary_sgl.chat.conversation import Call, Conversation, Message
from functionary_sgl.prompt import detect
from functionary_sgl.prompt.checkpoint import Checkpoint
from functionary_sgl.prompt.own_template import OwnTemplate
from functionary_sgl.prompt.prompter import Prompter
from functionary_sgl.turns import FORMATS
from tests.conftest import TINY
from tests.formats import CHAT_TEMPLATES, PROMPTERS, SPECIAL_TOKENS
from tests.prompt.test_encode import turn_and_next_prompt
from tests.replay import replay

FORMAT = FORMATS["qwen3-coder"]


def own(name: str) -> OwnTemplate:
    return OwnTemplate((CHAT_TEMPLATES / f"{name}.jinja").read_text(), SPECIAL_TOKENS)


MODELS = {
    name: Prompter(FORMAT, PROMPTERS["qwen3-coder"].tokenizer, own(name))
    for name in ("qwen3-coder", "qwen3.5", "nemotron-3", "step-3.5")
}
every_model = pytest.mark.parametrize("model", MODELS)
CALL = "<tool_call>\n<function=f>\n{}</function>\n</tool_call>"
CITY = CALL.format("<parameter=city>\nRome\n</parameter>\n<parameter=days>\n3\n</parameter>\n")
TOOL = {
    "type": "function",
    "function": {
        "name": "f",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "days": {"type": "integer"},
                "open": {"type": "boolean"},
            },
            "required": ["city"],
        },
    },
}
SAID = ("f", '{"city": "Rome", "days": 3}')
# Reasoning, text, and two calls, as each template shows them; the prompt of all but the first has
# begun the reasoning.
TURNS = {
    "qwen3-coder": f"Sure.\n\n{CITY}\n{CITY}",
    "qwen3.5": f"Hm.\n</think>\n\nSure.\n\n{CITY}\n{CITY}",
    "nemotron-3": f"Hm.\n</think>\nSure.\n{CITY}\n{CITY}\n",
    "step-3.5": f"Hm.\n</think>\nSure.{CITY}{CITY}",
}
FORCED = {
    "qwen3-coder": f"{CITY}\n{CITY}",
    "qwen3.5": f"Hm.\n</think>\n\n{CITY}\n{CITY}",
    "nemotron-3": f"Hm.\n</think>\n{CITY}\n{CITY}\n",
    "step-3.5": f"Hm.\n</think>\n{CITY}{CITY}",
}


@every_model
def test_it_is_known_by_what_its_template_writes(model: str) -> None:
    tokenizer = MODELS[model].tokenizer
    checkpoint = Checkpoint(TINY, tokenizer, own(model), {})
    assert detect.detect(checkpoint).format is FORMAT


@every_model
@pytest.mark.parametrize("cut", [1, "char", "all"])
def test_turns_are_told(model: str, cut: Any) -> None:
    answer = replay(MODELS[model], TURNS[model], cut, tools=[TOOL])
    assert answer.said == ("Sure.", [SAID, SAID])
    if model != "qwen3-coder":
        assert answer.message["reasoning_content"] == "Hm."


@every_model
def test_calls_that_have_to_be_have_the_spaces_of_the_model(model: str) -> None:
    answer = replay(MODELS[model], FORCED[model], tools=[TOOL], tool_choice="required")
    assert answer.said == (None, [SAID, SAID])
    assert FORCED[model] in MODELS[model].tokenizer.decode(answer.ids)


@every_model
def test_the_next_prompt_begins_with_the_turn(model: str) -> None:
    before, after = turn_and_next_prompt(MODELS[model], TURNS[model], "char", [TOOL])
    assert after[: len(before)] == before


@pytest.mark.parametrize(
    ("value", "told"), [("true", "true"), ("True", "true"), ("false", "false"), ("False", "false")]
)
def test_words_are_written_as_json_or_as_templates_show_them(value: str, told: str) -> None:
    """Both come back as the ids that they were."""
    block = f"<parameter=city>\nOslo\n</parameter>\n<parameter=open>\n{value}\n</parameter>\n"
    turn = CALL.format(block)
    prompter = MODELS["qwen3-coder"]
    answer = replay(prompter, turn, tools=[TOOL])
    assert answer.said[1] == [("f", f'{{"city": "Oslo", "open": {told}}}')]
    before, after = turn_and_next_prompt(prompter, turn, "char", [TOOL])
    assert after[: len(before)] == before


@pytest.mark.parametrize("constraints", ["names", "off"])
def test_types_are_those_of_the_schema_in_every_mode(constraints: Any) -> None:
    """Where a text is due, what looks like a number is a text."""
    block = "<parameter=city>\n10115\n</parameter>\n<parameter=days>\n3\n</parameter>\n"
    answer = replay(
        MODELS["qwen3-coder"], CALL.format(block), tools=[TOOL], constraints=constraints
    )
    assert answer.said[1] == [("f", '{"city": "10115", "days": 3}')]


def test_what_the_schema_lacks_is_told_without_constraints() -> None:
    block = "<parameter=days>\nmany\n</parameter>\n<parameter=more>\n[1]\n</parameter>\n"
    prompter = MODELS["qwen3-coder"]
    answer = replay(prompter, CALL.format(block), tools=[TOOL], constraints="off")
    assert answer.said[1] == [("f", '{"days": "many", "more": [1]}')]
    answer = replay(prompter, CALL.format(block), tools=[TOOL])
    told = json.loads(answer.said[1][0][1])
    assert told.keys() >= {"city"}
    assert isinstance(told.get("days", 0), int)


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ('{"city": "Ro', "<parameter=city>\nRo\n</parameter>"),
        ('{"days": 3, "city"', "<parameter=days>\n3\n</parameter>"),
        ("", "<function=f>\n</function>"),
        ("[1]", "<parameter=arguments>\n[1]\n</parameter>"),
        ('{"days": NaN}', '<parameter=arguments>\n{"days": NaN}\n</parameter>'),
        pytest.param('{"a": ' * 500, "<parameter=arguments>\n" + '{"a": ' * 500, id="too deep"),
        ("Rome!", "<parameter=arguments>\nRome!\n</parameter>"),
    ],
)
@every_model
def test_a_call_that_was_cut_off_or_is_no_object_is_shown(
    model: str, arguments: str, shown: str
) -> None:
    call = Call("f", arguments, "c1")
    said = [Message("user", "Rome?"), Message("assistant", calls=(call,))]
    asked = Conversation((*said, Message("tool", "Sunny.", call_id="c1", name="f")))
    assert shown in str(MODELS[model].prompt(asked))


def test_a_schema_whose_texts_cannot_be_told_is_enforced_without_what_makes_it_so() -> None:
    function = {
        "name": "f",
        "parameters": {
            "type": "object",
            "properties": {"kind": {"enum": ["a", "b"]}, "v": {"type": ["string", "integer"]}},
            "required": ["kind", "v"],
            "if": {"properties": {"kind": {"const": "a"}}},
            "then": {"properties": {"v": {"type": "string"}}},
        },
    }
    block = "<parameter=kind>\na\n</parameter>\n<parameter=v>\n5\n</parameter>\n"
    tools = [{"type": "function", "function": function}]
    answer = replay(MODELS["qwen3-coder"], CALL.format(block), tools=tools)
    assert answer.said[1] == [("f", '{"kind": "a", "v": 5}')]

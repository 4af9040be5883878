"""Kimi's models: ids that go on counting, and how each of them begins its turns."""

from typing import Any

import pytest

from functionary_sgl.prompt import detect
from functionary_sgl.prompt.checkpoint import Checkpoint
from functionary_sgl.prompt.own_template import OwnTemplate
from functionary_sgl.prompt.prompter import Prompter
from functionary_sgl.turns import FORMATS
from tests.conftest import TINY
from tests.formats import CHAT_TEMPLATES, PROMPTERS, SPECIAL_TOKENS, written
from tests.replay import replay

FORMAT = FORMATS["kimi-k2"]
TEMPLATE = (CHAT_TEMPLATES / "kimi-k2.jinja").read_text()
ASKS = "'<|im_assistant|>assistant<|im_middle|>' -}}"
REASONED = next(line for line in TEMPLATE.splitlines() if "reasoning_content" in line)
SWITCH = "('<think></think>' if thinking is defined and thinking is false else '<think>')"
# K2 has no reasoning, and K2.5 begins it in the prompt, or ends it there at once.
TEMPLATES = {
    "K2": TEMPLATE.replace(REASONED, ""),
    "K2 Thinking": TEMPLATE,
    "K2.5": TEMPLATE.replace(ASKS, f"{ASKS.removesuffix(' -}}')} + {SWITCH} -}}}}"),
}
MODELS = {
    name: Prompter(FORMAT, PROMPTERS["kimi-k2"].tokenizer, OwnTemplate(text, SPECIAL_TOKENS))
    for name, text in TEMPLATES.items()
}
every_model = pytest.mark.parametrize("model", MODELS)
CALLS = [("get", '{"a": "x"}'), ("now", "{}")]
BEGUN = {"K2": "", "K2 Thinking": "<think>Hm.</think>", "K2.5": "Hm.</think>"}


def turn(model: str, content: str, calls: Any, called: int = 0) -> str:
    said = written("kimi-k2", content, calls, called=called)
    return BEGUN[model] + said.removeprefix("<think></think>")


@every_model
def test_it_is_known_by_what_its_template_writes(model: str) -> None:
    own = OwnTemplate(TEMPLATES[model], SPECIAL_TOKENS)
    found = detect.detect(Checkpoint(TINY, MODELS[model].tokenizer, own, {}))
    assert found.format is FORMAT


@every_model
@pytest.mark.parametrize("cut", [1, "char", "all"])
def test_turns_are_told(model: str, cut: Any) -> None:
    answer = replay(MODELS[model], turn(model, "Sure.", CALLS), cut)
    assert answer.said == ("Sure.", CALLS)
    thought = None if model == "K2" else "Hm."
    assert answer.message.get("reasoning_content") == thought


@every_model
def test_a_call_may_follow_reasoning_at_once(model: str) -> None:
    answer = replay(MODELS[model], turn(model, "", CALLS), tool_choice="required")
    assert answer.said == (None, CALLS)


def test_reasoning_may_be_over_before_it_begins() -> None:
    said = turn("K2", "Sure.", CALLS)
    answer = replay(MODELS["K2.5"], said, chat_template_kwargs={"thinking": False})
    assert answer.said == ("Sure.", CALLS)


@every_model
def test_numbers_go_on_over_the_conversation(model: str) -> None:
    """Where a model would write another one, it is the right one all the same."""
    call = {"id": "call_1", "type": "function", "function": {"name": "now", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "noon"},
    ]
    said = turn(model, "", CALLS, called=1)
    assert "functions.get:1<" in said
    answer = replay(MODELS[model], said, messages=messages)
    assert answer.said == (None, CALLS)

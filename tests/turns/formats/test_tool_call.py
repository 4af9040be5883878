"""Models whose chat template has opened their reasoning already (QwQ, Qwen 3 Thinking)."""

from typing import Any

import pytest

from functionary_sgl.prompt.own_template import OwnTemplate
from functionary_sgl.prompt.prompter import Prompter
from functionary_sgl.turns import FORMATS
from tests.formats import CHAT_TEMPLATES, PROMPTERS, SPECIAL_TOKENS
from tests.replay import replay

OPENED = "{%- if add_generation_prompt %}{{- '<think>\n' }}{%- endif %}"
CALL = '<tool_call>\n{"name": "now", "arguments": {}}\n</tool_call>'


@pytest.fixture
def thinking() -> Prompter:
    template = (CHAT_TEMPLATES / "hermes.jinja").read_text() + OPENED
    own = OwnTemplate(template, SPECIAL_TOKENS)
    return Prompter(FORMATS["hermes"], PROMPTERS["hermes"].tokenizer, own)


@pytest.mark.parametrize("cut", [1, "char", "all"])
@pytest.mark.parametrize(
    ("rest", "choice", "said"),
    [
        ("Hello.", "auto", ("Hello.", [])),
        (f"Well.\n{CALL}", "auto", ("Well.", [("now", "{}")])),
        (CALL, "required", (None, [("now", "{}")])),
    ],
)
def test_a_turn_may_begin_inside_its_reasoning(
    thinking: Prompter, cut: Any, rest: str, choice: str, said: Any
) -> None:
    turn = f"Hm, <think> is a tag.\n</think>\n\n{rest}"
    answer = replay(thinking, turn, cut, tool_choice=choice)
    assert answer.message["reasoning_content"] == "Hm, <think> is a tag."
    assert answer.said == said
    assert "</think>\n\n" in thinking.tokenizer.decode(answer.ids)

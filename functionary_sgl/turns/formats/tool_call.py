"""The turn of models that write `<tool_call>`: Qwen 2.5 and 3, Hermes, Granite 4, and others.

    <think>
    Rome, then.
    </think>

    Let me look.
    <tool_call>
    {"name": "get_weather", "arguments": {"city": "Rome"}}
    </tool_call>
    <tool_call>
    {"name": "python", "arguments": {"code": "print(1)"}}
    </tool_call><|im_end|>

Reasoning is for models that have it. `<tool_call>` alone begins a call (to most of these models it
is one token); what ends it is the end of its JSON. The code interpreter is a function with one
argument. Source: the chat templates of Qwen2.5-Instruct, Qwen3 and Granite 4, and
MeetKai/functionary, templates qwen2.5-text-only, cogito, gemma3 and r1_distilled_qwen.
"""

from dataclasses import replace
from typing import Any

from functionary_sgl.chat.tools import CODE_INTERPRETER as CODE
from functionary_sgl.runtime.prompt import Prompt
from functionary_sgl.turns.format import Format
from functionary_sgl.turns.offer import Offer
from functionary_sgl.turns.reasoning import THINK
from functionary_sgl.turns.steps import callee, force, json_payload, reason, speak
from functionary_sgl.turns.vocabulary import function, select

OPEN = "<tool_call>"
CLOSE = "</tool_call>"
NAME = '{"name": "'
ARGUMENTS = '", "arguments": '
ENDS = ["}\n" + CLOSE, "}" + CLOSE, CLOSE]


def program(end: str) -> Any:
    """The turn program of a model whose turns end with the control token `end`."""

    @function  # type: ignore[untyped-decorator]
    def turn(s: Any, prompt: Prompt, offer: Offer) -> None:
        """Reasoning, then text and calls in any order, until the model ends its turn."""
        s += prompt
        opened = next((tag for tag in THINK.closing if prompt.rstrip().endswith(tag)), None)
        if opened and not offer.continues:
            if not reason(s, opened):
                return
            s += "" if offer.text else "\n\n"
        place = 0
        while next_call(s, place, offer, end, may_reason=offer.reasoning and not opened):
            s += "\n"
            name = callee(s, place, offer, before=NAME, after=ARGUMENTS)
            if name is None or not json_payload(s, place, offer, name, ENDS):
                return
            s += "}\n" + CLOSE
            if not offer.parallel:
                return
            place += 1

    return turn


def next_call(s: Any, place: int, offer: Offer, end: str, may_reason: bool) -> bool:
    """Whether another call begins, after text where there may be some; its mark is written."""
    if offer.text and (place == 0 or offer.answer is None):
        marks = [OPEN] if offer.names else []
        return speak(s, place, marks, may_reason and place == 0, offer.answer) is not None
    if place == 0:
        return force(s, OPEN, may_reason)
    s += select(f"next_{place}", [end, "\n" + OPEN])
    return bool(s[f"next_{place}"] != end)


HERMES = Format(
    name="hermes",
    program=program("<|im_end|>"),
    models=(
        "Qwen/Qwen2.5-*-Instruct",
        "Qwen/Qwen3-*",
        "Qwen/QwQ-32B",
        "NousResearch/Hermes-2-Pro-*",
        "NousResearch/Hermes-3-*",
    ),
    control_tokens=("<|im_start|>", "<|im_end|>"),
    stop_tokens=("<|im_end|>", "<|endoftext|>"),
    marks=(OPEN, CLOSE, "<tool_response>", "</tool_response>", "<think>", "</think>"),
    reserved_names=frozenset({CODE}),
    template=None,
    reasons=True,
    reasons_if_forced=True,
)
GRANITE = replace(
    HERMES,
    name="granite",
    program=program("<|end_of_text|>"),
    models=("ibm-granite/granite-4.*",),
    control_tokens=("<|start_of_role|>", "<|end_of_role|>", "<|end_of_text|>"),
    stop_tokens=("<|end_of_text|>",),
    reasons=False,
)
QWEN25 = replace(
    HERMES,
    name="qwen2.5-text-only",
    models=("Qwen/Qwen2.5-32B-Instruct, trained by MeetKai",),
    template="",
    image_token="<|image_pad|>",
    reasons=False,
)
COGITO = replace(
    QWEN25,
    name="cogito",
    models=("deepcogito/cogito-v1-preview-qwen-32B",),
    reasons=True,
    reasons_if_forced=False,
)
GEMMA3 = replace(
    QWEN25,
    name="gemma3",
    program=program("<end_of_turn>"),
    models=("google/gemma-3-*-it",),
    control_tokens=("<start_of_turn>", "<end_of_turn>"),
    stop_tokens=("<end_of_turn>",),
    image_token="",
)
R1_DISTILLED_QWEN = replace(
    QWEN25,
    name="r1_distilled_qwen",
    program=program("<｜end▁of▁sentence｜>"),
    models=("deepseek-ai/DeepSeek-R1-Distill-Qwen-32B",),
    control_tokens=("<｜User｜>", "<｜Assistant｜>", "<｜end▁of▁sentence｜>"),
    stop_tokens=("<｜end▁of▁sentence｜>",),
    marks=(*HERMES.marks, "<｜System｜>"),
    image_token="",
    reasons=True,
    reasons_if_forced=False,
)

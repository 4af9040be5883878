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

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from functionary_sgl.chat.tools import CODE_INTERPRETER as CODE
from functionary_sgl.grammars.parameters import Places
from functionary_sgl.runtime.prompt import Prompt
from functionary_sgl.turns.format import Format
from functionary_sgl.turns.offer import Offer
from functionary_sgl.turns.parameters import parameter_payload
from functionary_sgl.turns.reasoning import THINK, Tags
from functionary_sgl.turns.steps import (
    callee,
    force,
    json_payload,
    reason,
    speak,
    write_behind,
)
from functionary_sgl.turns.vocabulary import function, select

OPEN = "<tool_call>"
CLOSE = "</tool_call>"
NAME = '{"name": "'
ARGUMENTS = '", "arguments": '
ENDS = ["}\n" + CLOSE, "}" + CLOSE, CLOSE]

Call = Callable[[Any, int, Offer], bool]
"""Writes a call; False if the turn ended with it."""


def json_call(s: Any, place: int, offer: Offer) -> bool:
    """A call in JSON, and the newline behind it."""
    name = callee(s, place, offer, before=NAME, after=ARGUMENTS)
    if name is None or not json_payload(s, place, offer, name, ENDS):
        return False
    s += "}\n"
    return True


def parameter_call(
    marks: Places, *, before: str = "", after: str, followed: Sequence[str] = ()
) -> Call:
    """Writes a call with parameters between `marks`; the rest as in `callee`."""

    def call(s: Any, place: int, offer: Offer) -> bool:
        name = callee(s, place, offer, before=before, after=after, followed=followed)
        return name is not None and parameter_payload(s, place, offer, name, marks)

    return call


class Frame(NamedTuple):
    """What a call stands between, `open` with what is `inside` behind it and `close`, and what may
    stand before that: at the `start` of a turn, more where there has to be a call behind a
    `thought` in `tags`, and behind another `call`; and what behind the last before the `end` of the
    turn. Where there are several the model says which."""

    open: str = OPEN
    close: str = CLOSE
    tags: Tags = THINK
    start: str = ""
    thought: tuple[str, ...] = ("\n\n",)
    call: tuple[str, ...] = ("\n",)
    end: tuple[str, ...] = ("",)
    inside: str = "\n"


FRAME = Frame()


def program(end: str, call: Call = json_call, frame: Frame = FRAME) -> Any:
    """The turn program of a model whose turns end with the control token `end`, and which writes a
    `call` behind its mark."""

    @function  # type: ignore[untyped-decorator]
    def turn(s: Any, prompt: Prompt, offer: Offer) -> None:
        """Reasoning, then text and calls in any order, until the model ends its turn."""
        place = 0
        begins = first_call(s, prompt, offer, end, frame)
        while begins:
            s += frame.inside
            if not call(s, place, offer):
                return
            s += frame.close
            if not offer.parallel:
                return
            place += 1
            begins = next_call(s, place, offer, end, frame)

    return turn


def first_call(s: Any, prompt: Prompt, offer: Offer, end: str, frame: Frame) -> bool:
    """The prompt, and reasoning and text behind it; whether a call begins then, whose mark is
    written."""
    s += prompt
    thought = goes_on(s, prompt, offer, frame.tags)
    if thought is None:
        return False
    reasons = offer.reasoning and not thought
    return next_call(s, 0, offer, end, frame, reasons=reasons, thought=thought)


def section(s: Any, offer: Offer, call: Call, between: str, close: str) -> None:
    """Calls of a section, which is open, with `between` before each but the first, to its
    `close`."""
    place = 0
    while call(s, place, offer):
        if not offer.parallel:
            s += close
            return
        s += select(f"next_{place}", [close, between])
        if s[f"next_{place}"] == close:
            return
        place += 1


def goes_on(s: Any, prompt: Prompt, offer: Offer, tags: Tags) -> bool | None:
    """Whether the turn goes on from reasoning that the prompt has begun, which is written then;
    None if the turn ended with it."""
    opened = next((tag for tag in tags.closing if prompt.rstrip().endswith(tag)), None)
    if opened is None or offer.continues:
        return False
    return reason(s, opened) or None


def next_call(
    s: Any,
    place: int,
    offer: Offer,
    end: str,
    frame: Frame,
    *,
    reasons: bool = False,
    thought: bool = False,
) -> bool:
    """Whether another call begins, after text where there may be some; its mark is written. Of the
    first: `reasons`, whether the turn may begin with reasoning; `thought`, whether it did."""
    if offer.text and (place == 0 or offer.answer is None):
        first = frame.open if offer.answer is None else frame.start + frame.open
        marks = [first] if offer.names else []
        return speak(s, place, marks, reasons, offer.answer, frame.tags) is not None
    if thought:
        write_behind(s, frame.start + frame.open, frame.thought)
        return True
    if place == 0:
        mark = frame.start + frame.open
        return force(s, mark, reasons, frame.tags, frame.thought)
    ends = [space + end for space in frame.end]
    s += select(f"next_{place}", [*ends, *(space + frame.open for space in frame.call)])
    return s[f"next_{place}"] not in ends


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

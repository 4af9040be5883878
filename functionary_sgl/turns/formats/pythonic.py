"""The turn of models that call functions in Python: Llama 3.2 and 4, ToolACE, LFM2, OLMo 3.

    [get_weather(city="Rome", days=3), now()]<|eot_id|>

The values of arguments are literals of Python: strings in either quotes, `True`, `None`, lists and
dictionaries. Only a bracket before a name on offer begins such a list, and with Llama 3.2 and
ToolACE only at the very beginning of a turn. Others have marks around it:

    Let me look.<|tool_call_start|>[get_weather(city='Rome')]<|tool_call_end|><|im_end|>

OLMo 3 writes each call in a line of its own, without a list:

    <function_calls>get_weather(city="Rome")
    now()</function_calls><|im_end|>

The code interpreter is a function with one argument. Source: the models' chat templates, and Meta's
documentation of Llama 3.2 and 4.
"""

from dataclasses import replace
from typing import Any

from functionary_sgl.chat.tools import CODE_INTERPRETER as CODE
from functionary_sgl.grammars.keywords import KEYWORDS
from functionary_sgl.runtime.prompt import Prompt
from functionary_sgl.turns.format import Format
from functionary_sgl.turns.formats.tool_call import Frame, first_call, section
from functionary_sgl.turns.offer import Offer
from functionary_sgl.turns.parameters import parameter_payload
from functionary_sgl.turns.steps import (
    callee,
    matched,
    recipient_or_text,
    speak_formed,
)
from functionary_sgl.turns.vocabulary import function, gen

OPEN, CLOSE, NEXT = "[", "]", ", "
ARGUMENTS = "("
START, END = "<|tool_call_start|>", "<|tool_call_end|>"


def calls(s: Any, offer: Offer, name: str | None, between: str, close: str) -> None:
    """Arguments of a call of `name`, and further calls up to `close`."""

    def call(s: Any, place: int, offer: Offer) -> bool:
        called = callee(s, place, offer, after=ARGUMENTS) if place else name
        more = [between] * offer.parallel
        # What is in one token with the bracket; a newline would end the turn's grammar there.
        behind = [close, *more] if between.strip() else [close]
        return called is not None and parameter_payload(s, place, offer, called, KEYWORDS, behind)

    section(s, offer, call, between, close)


def bare(*, behind_text: bool) -> Any:
    """The program for a list of calls that nothing marks but the name that it begins with;
    `behind_text`: also behind text."""

    @function  # type: ignore[untyped-decorator]
    def turn(s: Any, prompt: Prompt, offer: Offer) -> None:
        """Text, or a list of calls."""
        s += prompt
        if offer.text:
            name = begun(s, offer, behind_text=behind_text)
        else:
            name = callee(s, 0, offer, before=OPEN, after=ARGUMENTS)
        calls(s, offer, name, NEXT, CLOSE)

    return turn


def begun(s: Any, offer: Offer, *, behind_text: bool) -> str | None:
    """The name with which a list of calls begins; None if there is none, and all is text."""
    may_call = bool(offer.names) and (behind_text or not offer.continues)
    openings = {OPEN + name + ARGUMENTS: name for name in offer.names * may_call}
    if offer.answer is not None:
        opening = speak_formed(s, 0, list(openings), False, offer.answer)
        if opening is not None:
            s["recipient_0"] = openings[opening]
        return None if opening is None else openings[opening]
    stops = [OPEN] * may_call if offer.free_names else list(openings)
    s += gen("content_0", stop=stops)
    while (opening := matched(s, "content_0")) in stops:
        s += opening
        if s["content_0"].strip() and not behind_text:
            s["content_0"] += opening
            stops = []
        elif opening in openings:
            s["recipient_0"] = openings[opening]
            return openings[opening]
        elif (name := recipient_or_text(s, 0, offer, ARGUMENTS, "content_0", OPEN)) != "":
            return name
        s += gen("content_0", stop=stops)
    return None


def framed(end: str, frame: Frame, lead: str, between: str) -> Any:
    """The program for calls in `frame`, with `lead` before the first and `between` the others, in
    turns that end with the control token `end`."""

    @function  # type: ignore[untyped-decorator]
    def turn(s: Any, prompt: Prompt, offer: Offer) -> None:
        """Reasoning and text, then calls."""
        if first_call(s, prompt, offer, end, frame):
            name = callee(s, 0, offer, before=lead, after=ARGUMENTS)
            calls(s, offer, name, between, frame.close)

    return turn


PYTHONIC = Format(
    name="pythonic",
    program=bare(behind_text=False),
    models=("Team-ACE/ToolACE-*", "meta-llama/Llama-3.2-*-Instruct, with such a chat template"),
    control_tokens=("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
    stop_tokens=("<|eot_id|>", "<|eom_id|>", "<|end_of_text|>"),
    reserved_names=frozenset({CODE}),
    template=None,
    opening=OPEN,
    parameters=KEYWORDS,
)
LLAMA4 = replace(
    PYTHONIC,
    name="llama4-pythonic",
    program=bare(behind_text=True),
    models=("meta-llama/Llama-4-*, with such a chat template",),
    control_tokens=("<|header_start|>", "<|header_end|>", "<|eot|>"),
    stop_tokens=("<|eot|>", "<|eom|>", "<|end_of_text|>"),
    marks=("<|python_start|>", "<|python_end|>"),
)
LFM2 = replace(
    PYTHONIC,
    name="lfm2",
    program=framed(
        "<|im_end|>",
        Frame(START, CLOSE + END, thought=("", "\n", "\n\n")),
        OPEN,
        NEXT,
    ),
    models=("LiquidAI/LFM2*",),
    control_tokens=("<|im_start|>", "<|im_end|>", START, END),
    stop_tokens=("<|im_end|>", "<|endoftext|>"),
    marks=("<think>", "</think>"),
    opening=Format.opening,
    reasons=True,
    reasons_if_forced=True,
)
OLMO3 = replace(
    LFM2,
    name="olmo3",
    program=framed(
        "<|im_end|>",
        Frame("<function_calls>", "</function_calls>", thought=("", "\n", "\n\n")),
        "",
        "\n",
    ),
    models=("allenai/Olmo-3-*",),
    control_tokens=("<|im_start|>", "<|im_end|>"),
    marks=("<function_calls>", "</function_calls>", "<think>", "</think>"),
)

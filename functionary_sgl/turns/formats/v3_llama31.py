"""The turn of functionary-small-v3.1, functionary-medium-v3.1 and functionary-v4r-small-preview.

Meta's form of custom tools for Llama 3.1. Calls stand in the text; code goes to the turn's end:

    Let me look.<function=get_weather>{"city": "Rome"}</function><|python_tag|>print(1)<|eom_id|>

Only `<function=NAME>` with a NAME on offer begins a call, and only the end of its JSON ends it, so
that text and arguments may contain tags. Source: MeetKai/functionary, templates v3-llama3.1,
v3-llama3.1-reasoning (reasoning comes first, in tags) and r1_distilled_llama.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from functionary_sgl.chat.tools import CODE_INTERPRETER as CODE
from functionary_sgl.runtime.prompt import Prompt
from functionary_sgl.turns.format import Format
from functionary_sgl.turns.offer import Offer
from functionary_sgl.turns.steps import address, arguments, recipient_or_text, speak
from functionary_sgl.turns.vocabulary import function, gen, select

CODE_MARK = "<|python_tag|>"
OPEN = "<function="
CLOSE = "</function>"
END = "<|eom_id|>"


@function  # type: ignore[untyped-decorator]
def turn(s: Any, prompt: Prompt, offer: Offer) -> None:
    """Text and calls in any order, until the model ends its turn."""
    marks = {f"{OPEN}{name}>": name for name in offer.functions}
    marks |= {CODE_MARK: CODE} if offer.code else {}
    s += prompt
    place = 0
    while True:
        mark = (free_mark if offer.free_names else next_mark)(s, place, offer, marks)
        if mark is None:
            return
        if mark == CODE_MARK:
            s += gen(f"code_{place}")
            return
        if not arguments(s, place, offer, s[f"recipient_{place}"], [CLOSE]):
            return
        s += CLOSE
        if not offer.parallel:
            return
        place += 1


def next_mark(s: Any, place: int, offer: Offer, marks: Mapping[str, str]) -> str | None:
    """The marker that the model writes next, after text where it may write some; else None."""
    if offer.text and (place == 0 or offer.answer is None):
        mark = speak(s, place, list(marks), offer.reasoning and place == 0, offer.answer)
    elif offer.settled and place == 0:
        mark = next(iter(marks))
        s += mark
    elif place == 0 and not offer.code:
        s += OPEN
        return f"{OPEN}{address(s, place, list(offer.functions), settled=False, after='>')}>"
    else:
        s += select(f"next_{place}", list(marks) if place == 0 else [END, *marks])
        mark = s[f"next_{place}"]
    if mark is None or mark not in marks:
        return None
    s[f"recipient_{place}"] = marks[mark]
    return mark


def free_mark(s: Any, place: int, offer: Offer, marks: Mapping[str, str]) -> str | None:
    """As `next_mark`, where a marker may have any name."""
    code = [mark for mark in marks if mark == CODE_MARK]
    mark = speak(s, place, [OPEN, *code], offer.reasoning and place == 0)
    while mark == OPEN:
        name = recipient_or_text(s, place, offer, ">", f"content_{place}", OPEN, code)
        if name == "":
            mark = speak(s, place, [OPEN, *code], reasoning=False)
        elif name in code:
            mark = name
        else:
            return name and f"{OPEN}{name}>"
    if mark == CODE_MARK:
        s[f"recipient_{place}"] = CODE
    return mark


FORMAT = Format(
    name="v3-llama3.1",
    program=turn,
    models=("meetkai/functionary-small-v3.1", "meetkai/functionary-medium-v3.1"),
    control_tokens=("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", CODE_MARK, END),
    stop_tokens=("<|eot_id|>", "<|end_of_text|>", END),
    reserved_names=frozenset({CODE}),
    trims_text=False,
)
REASONING = replace(
    FORMAT,
    name="v3-llama3.1-reasoning",
    models=("meetkai/functionary-v4r-small-preview",),
    reasons=True,
)
R1_DISTILLED_LLAMA = replace(
    FORMAT,
    name="r1_distilled_llama",
    models=("deepseek-ai/DeepSeek-R1-Distill-Llama-70B",),
    control_tokens=("<｜User｜>", "<｜Assistant｜>", "<｜end▁of▁sentence｜>", CODE_MARK, END),
    stop_tokens=("<｜end▁of▁sentence｜>", END),
    marks=("<｜System｜>", "<think>", "</think>"),
    reasons=True,
)

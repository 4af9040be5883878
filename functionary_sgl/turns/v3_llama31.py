"""The turn of functionary-small-v3.1 and functionary-medium-v3.1.

Meta's form of custom tools for Llama 3.1. Calls stand in the text; code goes to the turn's end:

    Let me look.<function=get_weather>{"city": "Rome"}</function><|python_tag|>print(1)<|eom_id|>

Only `<function=NAME>` with a NAME on offer begins a call, and only the end of its JSON ends it, so
that text and arguments may contain tags. Source: MeetKai/functionary, template v3-llama3.1.
"""

from typing import Any

from functionary_sgl.chat.tools import CODE_INTERPRETER as CODE
from functionary_sgl.runtime.prompt import Prompt
from functionary_sgl.turns.format import Format
from functionary_sgl.turns.offer import Offer
from functionary_sgl.turns.steps import choose, matched
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
        mark = next_mark(s, place, offer, list(marks))
        if mark not in marks:
            return
        s[f"recipient_{place}"] = marks[mark]
        if mark == CODE_MARK:
            s += gen(f"code_{place}")
            return
        s += gen(f"arguments_{place}", json_schema=offer.functions[marks[mark]])
        s += CLOSE
        if not offer.parallel:
            return
        place += 1


def next_mark(s: Any, place: int, offer: Offer, marks: list[str]) -> str | None:
    """The marker that the model writes next, after text where it may write some; else None."""
    if offer.settled and not offer.text and place == 0:
        s += marks[0]
        return marks[0]
    if not offer.text and place == 0 and not offer.code:
        s += OPEN
        names = [mark.removeprefix(OPEN).removesuffix(">") for mark in marks]
        return f"{OPEN}{choose(s, place, names, '>')}>"
    if not offer.text:
        s += select(f"next_{place}", marks if place == 0 else [END, *marks])
        return str(s[f"next_{place}"])
    s += gen(f"content_{place}", stop=list(marks))
    mark: str | None = matched(s, f"content_{place}")
    if mark in marks:
        s += mark
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

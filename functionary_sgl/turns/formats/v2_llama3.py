"""The turn of functionary-small-v2.5.

Text, if any, and then calls, each behind a marker that is a control token:

    Let me look.<|reserved_special_token_249|>get_weather
    {"city": "Rome"}<|eot_id|>

Source: MeetKai/functionary, template v2.llama3.
"""

from typing import Any

from functionary_sgl.runtime.prompt import Prompt
from functionary_sgl.turns.format import Format
from functionary_sgl.turns.offer import Offer
from functionary_sgl.turns.steps import arguments, callee, matched, reach
from functionary_sgl.turns.vocabulary import function, gen, select

MARK = "<|reserved_special_token_249|>"
END = "<|eot_id|>"


@function  # type: ignore[untyped-decorator]
def turn(s: Any, prompt: Prompt, offer: Offer) -> None:
    """Text up to the first marker, then a call behind each."""
    s += prompt
    if not reach(s, MARK, offer):
        return
    place = 0
    while True:
        name = callee(s, place, offer)
        if name is None:
            return
        if not offer.is_code(name):
            if not arguments(s, place, offer, name, [MARK]) or not offer.parallel:
                return
            s += select(f"next_{place}", [END, MARK])
            if s[f"next_{place}"] == END:
                return
        else:
            s += gen(f"code_{place}", stop=[MARK])
            if matched(s, f"code_{place}") != MARK or not offer.parallel:
                return
            s += MARK
        place += 1


FORMAT = Format(
    name="v2.llama3",
    program=turn,
    models=("meetkai/functionary-small-v2.5",),
    control_tokens=("<|start_header_id|>", "<|end_header_id|>", MARK, END),
    stop_tokens=(END, "<|end_of_text|>"),
)

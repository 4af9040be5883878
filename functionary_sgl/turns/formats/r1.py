"""The turn of DeepSeek-R1 in Functionary's form.

    <think>
    Rome, then.
    </think>

    Let me look.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather
    ```json
    {"city": "Rome"}
    ```<｜tool▁call▁end｜><｜tool▁calls▁end｜><｜end▁of▁sentence｜>

Code for the code interpreter stands in a fence of its own, ```python; only a fence before the
control token ends it. Source: MeetKai/functionary, template r1.
"""

from typing import Any

from functionary_sgl.chat.tools import CODE_INTERPRETER as CODE
from functionary_sgl.runtime.prompt import Prompt
from functionary_sgl.turns.format import Format
from functionary_sgl.turns.formats.tool_call import section
from functionary_sgl.turns.offer import Offer
from functionary_sgl.turns.steps import arguments, callee, matched, reach
from functionary_sgl.turns.vocabulary import function, gen

CALLS, CALLS_END = "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"
CALL, CALL_END = "<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>"
SEPARATOR = "<｜tool▁sep｜>"
FENCE_END = "\n```" + CALL_END
END = "<｜end▁of▁sentence｜>"


@function  # type: ignore[untyped-decorator]
def turn(s: Any, prompt: Prompt, offer: Offer) -> None:
    """Reasoning and text, then calls."""
    s += prompt
    if reach(s, CALLS, offer):
        s += CALL
        section(s, offer, call, CALL, CALLS_END)


def call(s: Any, place: int, offer: Offer) -> bool:
    """A call behind its mark; False if the turn ended before its end."""
    s += "function" + SEPARATOR
    name = callee(s, place, offer)
    return name is not None and fenced(s, place, offer, name)


def fenced(s: Any, place: int, offer: Offer, name: str) -> bool:
    """Arguments or code in their fence, to the end of the call. False if the turn ended before."""
    ends = [FENCE_END, CALL_END]
    if not offer.is_code(name):
        s += "```json\n"
        if not arguments(s, place, offer, name, ends):
            return False
        s += FENCE_END
        return True
    s += "```python\n"
    s += gen(f"code_{place}", stop=ends)
    end = matched(s, f"code_{place}")
    if end not in ends:
        return False
    s += end
    return True


FORMAT = Format(
    name="r1",
    program=turn,
    models=("deepseek-ai/DeepSeek-R1",),
    control_tokens=(
        *("<｜User｜>", "<｜Assistant｜>", END),
        *(CALLS, CALLS_END, CALL, CALL_END, SEPARATOR),
        *("<｜tool▁outputs▁begin｜>", "<｜tool▁outputs▁end｜>"),
        *("<｜tool▁output▁begin｜>", "<｜tool▁output▁end｜>"),
    ),
    stop_tokens=(END,),
    marks=("<｜System｜>", "<think>", "</think>"),
    reserved_names=frozenset({CODE}),
    reasons=True,
    reasons_if_forced=True,
)

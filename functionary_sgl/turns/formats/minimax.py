"""The turn of MiniMax M2, M2.5 and M2.7: reasoning, text, and then all calls in one tag.

    <think>
    Rome, then.
    </think>

    Let me look.
    <minimax:tool_call>
    <invoke name="get_weather">
    <parameter name="city">Rome</parameter>
    <parameter name="days">3</parameter>
    </invoke>
    <invoke name="now">
    </invoke>
    </minimax:tool_call>[e~[

A string stands as it is, all else is JSON. A string ends with the first `</parameter>` that ends
its line. The code interpreter is a function with one argument. Source: the models' chat template.
"""

from dataclasses import replace
from typing import Any

from functionary_sgl.grammars.marks import Marks
from functionary_sgl.runtime.prompt import Prompt
from functionary_sgl.turns.formats.tool_call import (
    HERMES,
    Frame,
    first_call,
    parameter_call,
    section,
)
from functionary_sgl.turns.offer import Offer
from functionary_sgl.turns.reasoning import THINK
from functionary_sgl.turns.vocabulary import function

OPEN, CLOSE = "<minimax:tool_call>", "</minimax:tool_call>"
INVOKE = '<invoke name="'
END = "[e~["
MARKS = Marks('<parameter name="', '">', "</parameter>\n", "</invoke>\n")
CALL = parameter_call(MARKS, after='">\n')
FRAME = Frame(OPEN, CLOSE, THINK, start="\n", thought=("\n\n", "\n", ""))


@function  # type: ignore[untyped-decorator]
def turn(s: Any, prompt: Prompt, offer: Offer) -> None:
    """Reasoning and text, then calls."""
    if first_call(s, prompt, offer, END, FRAME):
        s += "\n" + INVOKE
        section(s, offer, CALL, INVOKE, CLOSE)


FORMAT = replace(
    HERMES,
    name="minimax-m2",
    program=turn,
    parameters=MARKS,
    models=("MiniMaxAI/MiniMax-M2*",),
    control_tokens=("]~!b[", "]~b]", END),
    stop_tokens=(END,),
    marks=(OPEN, CLOSE, "<think>", "</think>"),
)

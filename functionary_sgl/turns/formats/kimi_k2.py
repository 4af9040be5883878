"""The turn of Kimi K2, K2 Thinking and K2.5: reasoning, text, and then all calls in one section.

    <think>Rome, then.</think>Let me look.<|tool_calls_section_begin|><|tool_call_begin|>
    functions.get_weather:0<|tool_call_argument_begin|>{"city": "Rome"}<|tool_call_end|>
    <|tool_calls_section_end|><|im_end|>

without the newlines. The number behind a name goes on counting over the conversation. The code
interpreter is a function with one argument. Source: the models' chat templates, and Moonshot AI's
guidance on tool calls.
"""

from typing import Any

from functionary_sgl.chat.tools import CODE_INTERPRETER as CODE
from functionary_sgl.runtime.prompt import Prompt
from functionary_sgl.turns.format import Format
from functionary_sgl.turns.formats.tool_call import Frame, first_call, section
from functionary_sgl.turns.offer import Offer
from functionary_sgl.turns.reasoning import THINK
from functionary_sgl.turns.steps import callee, json_payload
from functionary_sgl.turns.vocabulary import function

SECTION, SECTION_END = "<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"
CALL, CALL_END = "<|tool_call_begin|>", "<|tool_call_end|>"
ARGUMENTS = "<|tool_call_argument_begin|>"
NAMESPACE = "functions."
END = "<|im_end|>"
FRAME = Frame(SECTION, SECTION_END, THINK, thought=("",))


@function  # type: ignore[untyped-decorator]
def turn(s: Any, prompt: Prompt, offer: Offer) -> None:
    """Reasoning and text, then calls."""
    if first_call(s, prompt, offer, END, FRAME):
        s += CALL
        section(s, offer, numbered_call, CALL, SECTION_END)


def numbered_call(s: Any, place: int, offer: Offer) -> bool:
    """A call behind its mark, to the mark of its end; False if the turn ended before."""
    number = f":{offer.called + place}"
    name = callee(s, place, offer, before=NAMESPACE, after=number + ARGUMENTS)
    if name is None or not json_payload(s, place, offer, name, [CALL_END]):
        return False
    s += CALL_END
    return True


FORMAT = Format(
    name="kimi-k2",
    program=turn,
    models=("moonshotai/Kimi-K2-*", "moonshotai/Kimi-K2.5"),
    control_tokens=("<|im_system|>", "<|im_user|>", "<|im_assistant|>", "<|im_middle|>", END),
    stop_tokens=(END,),
    marks=(SECTION, SECTION_END, CALL, CALL_END, ARGUMENTS, "<think>", "</think>"),
    reserved_names=frozenset({CODE}),
    template=None,
    numbers_calls=True,
    reasons=True,
    reasons_if_forced=True,
)

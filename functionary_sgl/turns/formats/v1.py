"""The turn of functionary-7b-v1.1 and functionary-7b-v1.4: text, a call, or text and one call.

    Let me look.
    <|START_OF_FUNCTION_CALL|>get_weather:
    {"city": "Rome"}<|END_OF_FUNCTION_CALL|>

Source: MeetKai/functionary before its templates were rewritten in Jinja, which broke this one.
"""

from typing import Any

from functionary_sgl.runtime.prompt import Prompt
from functionary_sgl.turns.format import Format
from functionary_sgl.turns.offer import Offer
from functionary_sgl.turns.steps import arguments, callee, reach
from functionary_sgl.turns.vocabulary import function

CALL = "<|START_OF_FUNCTION_CALL|>"
CALL_END = "<|END_OF_FUNCTION_CALL|>"
END = "<|END_OF_ASSISTANT|>"


@function  # type: ignore[untyped-decorator]
def turn(s: Any, prompt: Prompt, offer: Offer) -> None:
    """Text, and one call at most."""
    s += prompt
    if not offer.text or (offer.answer is not None and not offer.continues):
        s += "\n"
    if not reach(s, CALL, offer):
        return
    name = callee(s, 0, offer, after=":\n")
    if name is not None and arguments(s, 0, offer, name, [CALL_END]):
        s += CALL_END


FORMAT = Format(
    name="v1",
    program=turn,
    models=("meetkai/functionary-7b-v1.1", "meetkai/functionary-7b-v1.4"),
    control_tokens=(
        *(CALL, CALL_END, END),
        *("<|END_OF_SYSTEM|>", "<|END_OF_USER|>", "<|END_OF_FUNCTION_RESULT|>"),
    ),
    stop_tokens=(END, CALL_END),
    code=False,
    many_calls=False,
)

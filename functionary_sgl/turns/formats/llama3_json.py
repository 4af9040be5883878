"""The turn of Llama 3.1, 3.2 and 3.3 Instruct in their own form: text, or one call as JSON.

    {"name": "get_weather", "parameters": {"city": "Rome"}}<|eot_id|>

Only JSON at the very beginning is a call; the same in the middle of a text is text. Source: the
models' chat template, and Meta's documentation of Llama 3.1, "JSON based tool calling".
"""

from typing import Any

from functionary_sgl.chat.tools import CODE_INTERPRETER as CODE
from functionary_sgl.runtime.prompt import Prompt
from functionary_sgl.turns.format import Format
from functionary_sgl.turns.offer import Offer
from functionary_sgl.turns.steps import callee, json_payload, matched
from functionary_sgl.turns.vocabulary import follow, function, gen

# The second is what the models make of the tools' own `"type": "function"`.
OPENINGS = ['{"name": "', '{"type": "function", "name": "']
PARAMETERS = '", "parameters": '
END = "<|eot_id|>"


@function  # type: ignore[untyped-decorator]
def turn(s: Any, prompt: Prompt, offer: Offer) -> None:
    """Text, or one call."""
    names = offer.names
    s += prompt
    if offer.answer is not None and not names:
        s += follow("content_0", offer.answer)
        return
    openings = OPENINGS if names and not offer.continues else []
    if offer.text and not begins_call(s, openings):
        return
    before = "" if offer.text else OPENINGS[0]
    name = callee(s, 0, offer, before=before, after=PARAMETERS)
    if name is not None and json_payload(s, 0, offer, name, ["}" + END]):
        s += "}"


def begins_call(s: Any, openings: list[str]) -> bool:
    """Whether the turn begins with one of `openings`; if not, all of it is text."""
    s += gen("content_0", stop=openings)
    opening = matched(s, "content_0")
    if opening not in openings:
        return False
    s += opening
    if not s["content_0"].strip():
        return True
    s["content_0"] += opening
    s += gen("content_0")
    return False


FORMAT = Format(
    name="llama3-json",
    program=turn,
    models=(
        "meta-llama/Llama-3.1-*-Instruct",
        "meta-llama/Llama-3.2-*-Instruct",
        "meta-llama/Llama-3.3-70B-Instruct",
    ),
    control_tokens=("<|start_header_id|>", "<|end_header_id|>", END),
    stop_tokens=(END, "<|eom_id|>", "<|end_of_text|>"),
    reserved_names=frozenset({CODE}),
    template=None,
    many_calls=False,
    json_answers_beside_calls=False,
)

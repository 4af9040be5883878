"""The turn of xLAM-2: text, or a list of calls as JSON.

    [{"name": "get_weather", "arguments": {"city": "Rome"}}]<|eot_id|>

Only such a list at the very beginning is one; the same in the middle of a text is text. The code
interpreter is a function with one argument. Source: the models' chat templates, of those on
Llama's and on Qwen's tokenizer.
"""

from dataclasses import replace
from typing import Any

from functionary_sgl.chat.tools import CODE_INTERPRETER as CODE
from functionary_sgl.runtime.prompt import Prompt
from functionary_sgl.turns.format import Format
from functionary_sgl.turns.formats.llama3_json import begins_call
from functionary_sgl.turns.formats.mistral import ITEM, items
from functionary_sgl.turns.offer import Offer
from functionary_sgl.turns.steps import speak_formed
from functionary_sgl.turns.vocabulary import function

OPENING = "[" + ITEM


def program(end: str) -> Any:
    """The turn program of a model whose turns end with the control token `end`."""

    @function  # type: ignore[untyped-decorator]
    def turn(s: Any, prompt: Prompt, offer: Offer) -> None:
        """Text, or calls."""
        s += prompt
        openings = [OPENING] if offer.names and not offer.continues else []
        if not offer.text:
            items(s, offer, end, [], OPENING)
        elif offer.answer is not None:
            if speak_formed(s, 0, openings, False, offer.answer) is not None:
                items(s, offer, end, [])
        elif begins_call(s, openings):
            items(s, offer, end, [])

    return turn


LLAMA = Format(
    name="xlam-2",
    program=program("<|eot_id|>"),
    models=("Salesforce/Llama-xLAM-2-*",),
    control_tokens=("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
    stop_tokens=("<|eot_id|>", "<|eom_id|>", "<|end_of_text|>"),
    reserved_names=frozenset({CODE}),
    template=None,
    opening="[",
)
QWEN = replace(
    LLAMA,
    name="xlam-2-qwen",
    program=program("<|im_end|>"),
    models=("Salesforce/xLAM-2-*",),
    control_tokens=("<|im_start|>", "<|im_end|>"),
    stop_tokens=("<|im_end|>", "<|endoftext|>"),
)

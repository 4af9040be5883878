"""The turn of Mistral's models: text, then calls behind `[TOOL_CALLS]`.

    Let me look.[TOOL_CALLS] [{"name": "get_weather", "arguments": {"city": "Rome"}}]</s>

is that of Mistral 7B v0.3, Mixtral, Nemo and Small to 3.0, where a call may have an id behind its
arguments (`, "id": "VvvODy9mT"`). Later ones have a marker for each call, and some of them an id
that the model makes up:

    [TOOL_CALLS]get_weather[CALL_ID]VvvODy9mT[ARGS]{"city": "Rome"}</s>

Those that reason do so before all that: `[THINK]Rome, then.[/THINK]`. Source: the package
mistral_common, tokenizer versions v3 to v13, and the models' chat templates.
"""

from dataclasses import replace
from itertools import chain
from typing import Any

from functionary_sgl.chat.tools import CODE_INTERPRETER as CODE
from functionary_sgl.runtime.prompt import Prompt
from functionary_sgl.turns.format import Format
from functionary_sgl.turns.offer import Offer
from functionary_sgl.turns.reasoning import BRACKETS
from functionary_sgl.turns.steps import callee, json_payload, reach
from functionary_sgl.turns.vocabulary import function, gen, select

CALLS = "[TOOL_CALLS]"
ITEM = '{"name": "'
ARGUMENTS = '", "arguments": '
NEXT, LAST = "}, " + ITEM, "}]"
ID = ', "id": "'
CALL_ID = "[CALL_ID]"
ARGS = "[ARGS]"
END = "</s>"
AN_ID = "[a-zA-Z0-9]{9}"


@function  # type: ignore[untyped-decorator]
def listed(s: Any, prompt: Prompt, offer: Offer) -> None:
    """Text, then a list of calls."""
    s += prompt
    if not reach(s, CALLS, offer, BRACKETS):
        return
    # Whether there is a space depends on the tokenizer's age; the model knows.
    s += select("list_0", [f" [{ITEM}", f"[{ITEM}"])
    items(s, offer, END, [ID])


def items(s: Any, offer: Offer, end: str, ids: list[str], opening: str = "") -> None:
    """The calls of a list, behind its `opening`, to its bracket, where the turn ends with `end`.
    `ids`: what may stand before the id of a call."""
    place = 0
    while True:
        before = "" if place else opening
        name = callee(s, place, offer, before=before, after=ARGUMENTS)
        more = [NEXT] * offer.parallel
        if name is None or not json_payload(
            s, place, offer, name, [LAST + end], before=[*more, *ids]
        ):
            return
        s += select(f"next_{place}", [LAST, *more, *ids])
        chosen = s[f"next_{place}"]
        if chosen in ids:
            chosen = identified(s, place, [LAST, *more])
        if chosen == LAST:
            return
        place += 1


def identified(s: Any, place: int, ends: list[str]) -> str:
    """The id behind its key, and the one of `ends` that follows it."""
    s += gen(f"id_{place}", regex=AN_ID)
    s += '"'
    s += select(f"last_{place}", ends)
    return str(s[f"last_{place}"])


def marked(after: str) -> Any:
    """The program for calls that each have a marker; `after` is what follows the name."""

    @function  # type: ignore[untyped-decorator]
    def turn(s: Any, prompt: Prompt, offer: Offer) -> None:
        """Text, then calls."""
        s += prompt
        if not reach(s, CALLS, offer, BRACKETS):
            return
        place = 0
        while True:
            name = callee(s, place, offer, after=after)
            if name is not None and after == CALL_ID:
                s += gen(f"id_{place}", regex=AN_ID)
                s += ARGS
            if name is None or not json_payload(s, place, offer, name, [CALLS]):
                return
            if not offer.parallel:
                return
            s += select(f"next_{place}", [END, CALLS])
            if s[f"next_{place}"] == END:
                return
            place += 1

    return turn


FORMAT = Format(
    name="mistral",
    program=listed,
    models=(
        "mistralai/Mistral-7B-Instruct-v0.3",
        "mistralai/Mixtral-8x22B-Instruct-v0.1",
        "mistralai/Mistral-Nemo-Instruct-2407",
        "mistralai/Mistral-Small-24B-Instruct-2501",
    ),
    control_tokens=("[INST]", "[/INST]", CALLS, END),
    stop_tokens=(END,),
    marks=("[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_RESULTS]", "[/TOOL_RESULTS]"),
    reserved_names=frozenset({CODE}),
    template=None,
)
V11 = replace(
    FORMAT,
    name="mistral-v11",
    program=marked(CALL_ID),
    models=("mistralai/Mistral-Small-3.1-24B-Instruct-2503", "mistralai/Mistral-Small-3.2-*"),
    control_tokens=(*FORMAT.control_tokens, CALL_ID, ARGS),
)
V13 = replace(
    FORMAT,
    name="mistral-v13",
    program=marked(ARGS),
    models=(
        "mistralai/Devstral-Small-2507",
        "mistralai/Magistral-Small-2507",
        "mistralai/Ministral-3-*",
    ),
    control_tokens=(*FORMAT.control_tokens, ARGS),
    marks=(*FORMAT.marks, *chain(*BRACKETS.closing.items())),
    reasons=True,
    reasons_if_forced=True,
    tags=BRACKETS,
)

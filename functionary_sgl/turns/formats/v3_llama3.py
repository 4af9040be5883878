"""The turn of functionary-small-v3.2, functionary-medium-v3.2 and functionary-medium-v3.0, and of
functionary-vision-small-v0.1, which sees images too.

The prompt ends with `>>>`; the model goes on with a recipient, a newline and what it sends there:

    >>>all                       text for the user
    Let me look.>>>get_weather   a function, with its arguments as JSON
    {"city": "Rome"}>>>python    the code interpreter, with source code
    print(1)<|eot_id|>

`>>>` is an ordinary token that text and code may contain. Only `>>>NAME` and a newline, NAME on
offer, ends them (source: MeetKai/functionary, templates v3.llama3 and the models' cards).
"""

from dataclasses import replace
from typing import Any

from functionary_sgl.runtime.prompt import Prompt
from functionary_sgl.turns.format import Format
from functionary_sgl.turns.offer import Offer
from functionary_sgl.turns.steps import address, arguments, matched, recipient_or_text
from functionary_sgl.turns.vocabulary import follow, function, gen, select

TEXT = "all"
MARK = ">>>"
END = "<|eot_id|>"
IMAGE = "<|reserved_special_token_250|>"


@function  # type: ignore[untyped-decorator]
def turn(s: Any, prompt: Prompt, offer: Offer) -> None:
    """Payload after payload, each with its recipient, until the model ends its turn."""
    names = [TEXT] * offer.text + offer.names
    marks = [] if names == [TEXT] else [f"{MARK}{name}\n" for name in names]
    s += prompt
    place = 0
    name = TEXT if offer.continues else recipient(s, place, offer, names)
    while name is not None:
        is_code = offer.is_code(name)
        if not is_code and name not in (TEXT, ""):
            if not arguments(s, place, offer, name, marks) or not offer.parallel:
                return
            s += select(f"next_{place}", [END, MARK])
            if s[f"next_{place}"] == END:
                return
            place += 1
            name = recipient(s, place, offer, names)
        elif name == TEXT and offer.answer is not None:
            s += follow(f"content_{place}", offer.answer)
            return
        else:
            payload = f"code_{place}" if is_code else f"content_{place}"
            stops = [MARK] if offer.free_names and not is_code else list(marks)
            s += gen(payload, stop=stops)
            mark = matched(s, payload)
            if mark not in stops or (is_code and not offer.parallel):
                return
            s += mark
            name = marked(s, place + 1, offer, mark, payload)
            place += name != ""


def recipient(s: Any, place: int, offer: Offer, names: list[str]) -> str | None:
    """Who is addressed where a turn or what follows a call begins; empty if text begins without."""
    if offer.free_names:
        return recipient_or_text(s, place, offer, "\n", f"content_{place}", MARK)
    return address(s, place, names, offer.settled and place == 0)


def marked(s: Any, place: int, offer: Offer, mark: str, payload: str) -> str | None:
    """Who is addressed by the `mark` that ended `payload`; empty if that goes on behind a mark
    which names nobody."""
    if mark == MARK:
        return recipient_or_text(s, place, offer, "\n", payload, MARK)
    name: str = mark.removeprefix(MARK).removesuffix("\n")
    s[f"recipient_{place}"] = name
    return name


FORMAT = Format(
    name="v3.llama3",
    program=turn,
    models=(
        "meetkai/functionary-small-v3.2",
        "meetkai/functionary-medium-v3.2",
        "meetkai/functionary-medium-v3.0",
    ),
    control_tokens=("<|start_header_id|>", "<|end_header_id|>", END),
    stop_tokens=(END, "<|end_of_text|>"),
    reserved_names=frozenset({TEXT}),
    addresses_text=True,
)
LLAVA = replace(
    FORMAT,
    name="v3.llava_llama",
    models=("meetkai/functionary-vision-small-v0.1",),
    control_tokens=(*FORMAT.control_tokens, IMAGE),
    image_token=IMAGE,
)

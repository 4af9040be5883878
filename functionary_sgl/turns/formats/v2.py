"""The turn of functionary-7b-v2 and v2.1, small and medium v2.2, small and medium v2.4.

The prompt ends with `<|recipient|>`; the model goes on with a recipient and what it sends there:

    all
    <|content|>Let me look.
    <|from|>assistant
    <|recipient|>get_weather
    <|content|>{"city": "Rome"}<|stop|>

Source: MeetKai/functionary, template v2.
"""

from typing import Any

from functionary_sgl.runtime.prompt import Prompt
from functionary_sgl.turns.format import Format
from functionary_sgl.turns.offer import Offer
from functionary_sgl.turns.steps import address, arguments, matched, recipient_or_text
from functionary_sgl.turns.vocabulary import follow, function, gen, select

TEXT = "all"
CONTENT = "\n<|content|>"
FROM = "<|from|>"
AGAIN = "assistant\n<|recipient|>"
END = "<|stop|>"


@function  # type: ignore[untyped-decorator]
def turn(s: Any, prompt: Prompt, offer: Offer) -> None:
    """Payload after payload, each with its recipient, until the model ends its turn."""
    names = [TEXT] * offer.text + offer.names
    s += prompt
    place = 0
    while True:
        name: str | None
        if offer.continues and place == 0:
            name = TEXT
        elif offer.free_names:
            name = recipient_or_text(s, place, offer, CONTENT, f"content_{place}")
        else:
            name = address(s, place, names, offer.settled and place == 0, after=CONTENT)
        if name is None:
            return
        is_code = offer.is_code(name)
        if not is_code and name not in (TEXT, ""):
            if not arguments(s, place, offer, name, ["\n" + FROM, FROM]) or not offer.parallel:
                return
            s += select(f"next_{place}", [END, "\n" + FROM])
            if s[f"next_{place}"] == END:
                return
        elif name == TEXT and offer.answer is not None:
            s += follow(f"content_{place}", offer.answer)
            return
        else:
            payload = f"code_{place}" if is_code else f"content_{place}"
            s += gen(payload, stop=[] if names == [TEXT] else [FROM])
            if matched(s, payload) != FROM or (is_code and not offer.parallel):
                return
            s += FROM
        s += AGAIN
        place += 1


FORMAT = Format(
    name="v2",
    program=turn,
    models=(
        "meetkai/functionary-7b-v2",
        "meetkai/functionary-7b-v2.1",
        "meetkai/functionary-small-v2.2",
        "meetkai/functionary-medium-v2.2",
        "meetkai/functionary-small-v2.4",
        "meetkai/functionary-medium-v2.4",
    ),
    control_tokens=(FROM, "<|recipient|>", "<|content|>", END),
    stop_tokens=(END,),
    reserved_names=frozenset({TEXT}),
    addresses_text=True,
)

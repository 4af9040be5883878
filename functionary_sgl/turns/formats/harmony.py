"""The turn of gpt-oss: messages in channels, each with a header, of which a call is the last.

    <|channel|>analysis<|message|>Rome, then.<|end|>
    <|start|>assistant<|channel|>commentary<|message|>Let me look.<|end|>
    <|start|>assistant<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>
    {"city": "Rome"}<|call|>

(without the line breaks). The prompt ends with the first `<|start|>assistant`. What is in
`analysis` is reasoning, in `commentary` text before a call, in `final` the answer. The recipient of
a call stands in the channel's place or, as the chat template shows it, in the role's:

    <|start|>assistant to=functions.get_weather<|channel|>commentary json<|message|>{..}<|call|>

The code interpreter is a function with one argument. Source: OpenAI's documentation of the harmony
format, and the models' chat template.
"""

from typing import Any

from functionary_sgl.chat.tools import CODE_INTERPRETER as CODE
from functionary_sgl.runtime.prompt import Prompt
from functionary_sgl.turns.format import Format
from functionary_sgl.turns.offer import Offer
from functionary_sgl.turns.reasoning import ANALYSIS
from functionary_sgl.turns.steps import callee, json_payload, matched
from functionary_sgl.turns.vocabulary import follow, function, gen, select

START, END, CALL = "<|start|>assistant", "<|end|>", "<|call|>"
MESSAGE, CHANNEL = "<|message|>", "<|channel|>"
THOUGHT = next(iter(ANALYSIS.closing))
PREAMBLE = CHANNEL + "commentary" + MESSAGE
FINAL = CHANNEL + "final" + MESSAGE
TO = " to=functions."
IN_CHANNEL, IN_ROLE = CHANNEL + "commentary" + TO, TO
# What may stand between a recipient and its arguments; the models leave out some of it.
TYPES = (" <|constrain|>json" + MESSAGE, "<|constrain|>json" + MESSAGE, " json" + MESSAGE, MESSAGE)


@function  # type: ignore[untyped-decorator]
def turn(s: Any, prompt: Prompt, offer: Offer) -> None:
    """Reasoning, texts, and then the answer or a call."""
    s += prompt
    if offer.continues:
        s += gen("content_0") if offer.answer is None else follow("content_0", offer.answer)
        return
    place = 0
    headers = headers_of(offer, offer.reasoning)
    while True:
        header = picked(s, place, headers)
        if header in (IN_CHANNEL, IN_ROLE):
            call(s, place, offer, CHANNEL + "commentary" if header == IN_ROLE else "")
            return
        if header == FINAL and offer.answer is not None:
            s += follow(f"content_{place}", offer.answer)
            return
        payload = f"reasoning_{place}" if header == THOUGHT else f"content_{place}"
        s += gen(payload, stop=[END])
        if matched(s, payload) != END or header == FINAL:
            return
        s += END + START
        headers = headers_of(offer, reasoning=False)
        place += 1


def headers_of(offer: Offer, reasoning: bool) -> list[str]:
    """Those of the messages that may come, as they begin."""
    calls = [IN_CHANNEL, IN_ROLE] if offer.names else []
    texts = [FINAL] if offer.text else []
    preambles = [PREAMBLE] if calls and offer.text and offer.answer is None else []
    return [*[THOUGHT] * reasoning, *texts, *calls, *preambles]


def picked(s: Any, place: int, headers: list[str]) -> str:
    """The one of `headers` that the model picks, written."""
    if len(headers) == 1:
        s += headers[0]
        return headers[0]
    s += select(f"header_{place}", headers)
    return str(s[f"header_{place}"])


def call(s: Any, place: int, offer: Offer, channel: str) -> None:
    """The rest of a call; `channel`: what stands behind the recipient in the role's place."""
    types = [channel + type_ for type_ in TYPES]
    name = callee(s, place, offer, after="", followed=types)
    if name is None:
        return
    s += select(f"type_{place}", types)
    json_payload(s, place, offer, name, [CALL])


FORMAT = Format(
    name="gpt-oss",
    program=turn,
    models=("openai/gpt-oss-20b", "openai/gpt-oss-120b"),
    control_tokens=("<|start|>", END, MESSAGE, CHANNEL, "<|constrain|>", "<|return|>", CALL),
    stop_tokens=("<|return|>", CALL, "<|endoftext|>"),
    ends_in_history=(END,),
    reserved_names=frozenset({CODE}),
    template=None,
    many_calls=False,
    addresses_text=True,
    reasons=True,
    reasons_if_forced=True,
    tags=ANALYSIS,
)

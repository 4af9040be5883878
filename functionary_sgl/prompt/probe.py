"""What a chat template makes of a call: found by rendering one.

A mark such as `<tool_call>` may occur in a template for many reasons. What it writes where an
assistant calls a function is what its model was trained on, and a format is that model's only if
the format's program would write the same.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from functionary_sgl.chat.conversation import Call, Conversation, Message
from functionary_sgl.chat.schema import ANY_ARGUMENTS
from functionary_sgl.chat.tools import Tool
from functionary_sgl.errors import RequestError
from functionary_sgl.prompt.render import Renderer
from functionary_sgl.runtime.reading import Said, read
from functionary_sgl.turns import Format, Offer

_NAME, _OTHER = "get_weather", "get_population"
_CITY = json.dumps({"city": "Rome"})
_PARAMETERS = json.dumps(
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
)
_RESULT = "Sunny, 31 degrees."
_TEXT = "Let me look."
_SHOWN = 160
"""Characters of a turn that errors show."""

_ONE = Message("assistant", calls=(Call(_NAME, _CITY, "Abcdefgh1"),))
_TWO = Message("assistant", calls=(*_ONE.calls, Call(_OTHER, _CITY, "Abcdefgh2")))
_WITH_TEXT = Message("assistant", _TEXT, _ONE.calls)


def _asked() -> Conversation:
    tools = tuple(Tool(name, "Tell it.", _PARAMETERS) for name in (_NAME, _OTHER))
    return Conversation((Message("user", "How is it in Rome?"),), tools)


@dataclass(frozen=True)
class Rendered:
    """A conversation up to where the assistant's turn begins, without and with what opens it, also
    where it shall not reason (`silent`), and with the turn and its results."""

    before: str
    opened: str
    silent: str
    after: str

    def turns(self) -> Iterator[str]:
        """Where the turn may begin: behind all that opens it, or earlier, since what a template
        opens (`<think>`) need not be in turns that are over, nor begin as what it has in them."""
        if self.after.startswith(self.silent):
            yield self.after.removeprefix(self.silent)
        least = _common(self.before, self.after)
        for begin in range(_common(self.opened, self.after), least - 1, -1):
            yield self.after[begin:]

    def shown(self) -> str:
        """The turn for people, from the first mark that is not cut through."""
        begin = _common(self.opened, self.after)
        mark = self.after.rfind("<", 0, begin)
        return self.after[mark if mark > self.after.rfind(">", 0, begin) else begin :]


def _common(one: str, other: str) -> int:
    """With how many characters both begin."""
    apart = (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(apart, min(len(one), len(other)))


class Probe:
    """What `renderer` makes of calls."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._one = self._rendered(_ONE)

    def is_written_by(self, format: Format) -> bool:
        """Whether the program of `format` writes turns with calls as the template shows them: one
        call, and, where the template takes them, two, and one behind text."""
        if not _says(format, self._one, _ONE):
            return False
        others = [_WITH_TEXT, *[_TWO] * format.many_calls]
        return all(_says(format, self._rendered(said), said) is not False for said in others)

    def told(self) -> str:
        """For people: how the template shows a call, in one line that goes on from its name."""
        if self._one is None:
            return "refuses a conversation with a call"
        shown = self._one.shown().split(_RESULT)[0]
        if _NAME not in shown:
            return "shows no calls"
        return f"writes calls as no format here does: {shown[:_SHOWN]!r}"

    def _rendered(self, answer: Message) -> Rendered | None:
        """None where the template refuses the conversation."""
        asked = _asked()
        answered = asked.followed_by(answer)
        for call in answer.calls:
            result = Message("tool", _RESULT, name=call.name, call_id=call.id)
            answered = answered.followed_by(result)
        try:
            return Rendered(
                self._renderer.render(asked, generation=False),
                self._renderer.render(asked),
                self._renderer.render(replace(asked, reasoning=False)),
                self._renderer.render(answered, generation=False),
            )
        except RequestError:
            return None


def _says(format: Format, rendered: Rendered | None, answer: Message) -> bool | None:
    """Whether the turn says `answer` in `format`; None where there is none, or without its text."""
    if rendered is None or answer.content not in rendered.after:
        return None
    return any(_agrees(said, answer) for said in _read(format, rendered.turns()))


def _read(format: Format, turns: Iterable[str]) -> Iterator[Said]:
    offer = Offer(dict.fromkeys((_NAME, _OTHER), ANY_ARGUMENTS), reasoning=format.reasons)
    for turn in turns:
        ends = [turn.find(end) + len(end) for end in format.stop_tokens if end in turn]
        said = read(format.program, offer, turn[: min(ends, default=None)], format.stop_tokens)
        if said is not None:
            yield said


def _agrees(said: Said, answer: Message) -> bool:
    calls = [(name, json.loads(arguments)) for name, arguments in said.calls]
    # Some templates take the text before a call for what the model thought.
    text = said.content.strip() or said.reasoning.strip()
    return text == answer.content and calls == [
        (call.name, json.loads(call.arguments)) for call in answer.calls
    ]

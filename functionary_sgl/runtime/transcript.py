"""What a turn said, as the message that it is in a history."""

from collections import defaultdict

from functionary_sgl.chat.conversation import Call, Message
from functionary_sgl.chat.custom import arguments_of
from functionary_sgl.runtime.events import Addressed, Delta, Event, Opened
from functionary_sgl.runtime.text import TextBuffer


class Transcript:
    """The message that a turn's events make."""

    def __init__(self) -> None:
        self._recipient = ""
        self._texts: defaultdict[str, TextBuffer] = defaultdict(TextBuffer)
        self._calls: list[tuple[str, str, TextBuffer]] = []
        self._takes_text: list[bool] = []

    def add(self, event: Event) -> None:
        match event:
            case Delta(role, text):
                self._texts[role].add(text)
            case Addressed(recipient):
                self._recipient = recipient
            case Opened("arguments" | "code" | "input" as role, call_id):
                self._takes_text.append(role == "input")
                self._texts[role] = TextBuffer()
                self._calls.append((self._recipient, call_id, self._texts[role]))

    def message(self) -> Message:
        calls = tuple(
            Call(name, arguments_of(str(text)) if takes_text else str(text), call_id)
            for (name, call_id, text), takes_text in zip(self._calls, self._takes_text, strict=True)
        )
        content, reasoning = (str(self._texts[role]) for role in ("content", "reasoning"))
        return Message("assistant", content, calls, reasoning=reasoning)

"""What a turn said, as the message that it is in a history."""

from functionary_sgl.chat.conversation import Call, Message
from functionary_sgl.chat.custom import arguments_of
from functionary_sgl.runtime.events import Addressed, Delta, Event, Opened


class Transcript:
    """The message that a turn's events make."""

    def __init__(self) -> None:
        self._recipient = ""
        self._content: list[str] = []
        self._reasoning: list[str] = []
        self._calls: list[tuple[str, str, list[str]]] = []
        self._takes_text: list[bool] = []

    def add(self, event: Event) -> None:
        match event:
            case Addressed(recipient):
                self._recipient = recipient
            case Opened("arguments" | "code" | "input" as role, call_id):
                self._takes_text.append(role == "input")
                self._calls.append((self._recipient, call_id, []))
            case Delta("content", text):
                self._content.append(text)
            case Delta("reasoning", text):
                self._reasoning.append(text)
            case Delta("arguments" | "code" | "input", text):
                self._calls[-1][-1].append(text)

    def message(self) -> Message:
        calls = tuple(
            Call(name, arguments_of("".join(text)) if takes_text else "".join(text), call_id)
            for (name, call_id, text), takes_text in zip(self._calls, self._takes_text, strict=True)
        )
        reasoning = "".join(self._reasoning)
        return Message("assistant", "".join(self._content), calls, reasoning=reasoning)

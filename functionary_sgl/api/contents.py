"""What messages have in them, in any protocol's words, as messages of a Conversation."""

from collections.abc import Sequence

from functionary_sgl.chat.conversation import Image, Message

Part = str | Image


def of_user(parts: Sequence[Part], *, listed: bool) -> Message:
    """A user's message; `listed`: the request has a list of parts, not one text."""
    # Some templates leave out a text that is empty, but show parts that all are.
    blank = listed and not text_of(parts)
    return Message("user", text_of(parts), parts=tuple(parts) if blank else _seen(parts))


def of_tool(parts: Sequence[Part], call_id: str | None, name: str | None = None) -> Message:
    """The result of a call."""
    return Message("tool", text_of(parts), (), name, call_id, parts=_seen(parts))


def text_of(parts: Sequence[Part]) -> str:
    """All text among `parts`."""
    return "".join(part for part in parts if isinstance(part, str))


def _seen(parts: Sequence[Part]) -> tuple[Part, ...]:
    return tuple(parts) if any(isinstance(part, Image) for part in parts) else ()

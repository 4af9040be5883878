"""`truncation: auto`: what is oldest is left out of an input that is too long."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from typing import TypeVar

from functionary_sgl.chat.conversation import Conversation
from functionary_sgl.errors import ContextLengthExceeded

T = TypeVar("T")

Prepare = Callable[[Conversation], Awaitable[T]]


async def fitting(conversation: Conversation, prepare: Prepare[T]) -> tuple[Conversation, T]:
    """`conversation` and what `prepare` makes of it, as much of it as fits: what is left begins
    with a message of the user's, or if none fits with one of the assistant's, and with all of the
    system's. ContextLengthExceeded where nothing fits. It is prepared again and again: about as
    often as the number of messages has digits in base two."""
    try:
        return conversation, await prepare(conversation)
    except ContextLengthExceeded as error:
        too_long = error
    for roles in (("user",), ("user", "assistant")):
        found = await _longest(conversation, _beginnings(conversation, roles), prepare)
        if found is not None:
            return found
    raise too_long


def _beginnings(conversation: Conversation, roles: Collection[str]) -> list[int]:
    """Where it may begin, but for where it does."""
    messages = enumerate(conversation.messages)
    return [index for index, message in messages if message.role in roles][1:]


async def _longest(
    conversation: Conversation, beginnings: Sequence[int], prepare: Prepare[T]
) -> tuple[Conversation, T] | None:
    """The longest that fits, of those with these beginnings."""
    found = None
    least, most = 0, len(beginnings) - 1
    while least <= most:
        middle = (least + most) // 2
        shorter = _from(conversation, beginnings[middle])
        try:
            found = shorter, await prepare(shorter)
            most = middle - 1
        except ContextLengthExceeded:
            least = middle + 1
    return found


def _from(conversation: Conversation, beginning: int) -> Conversation:
    """Without what is before `beginning`, but for messages of the system."""
    messages = conversation.messages
    system = tuple(message for message in messages[:beginning] if message.role == "system")
    return replace(conversation, messages=(*system, *messages[beginning:]))

"""What a client was told, as the name under which a turn is remembered.

What is remembered of a turn is what the model wrote. It may come back only to somebody who knows
all that the turn said, in this very conversation: what a template leaves out of a prompt (text
beside calls, some have it so) would else come into the prompts of clients who never saw it.
Arguments say the same in any spelling: clients parse them, and write them in their own.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from threading import Lock
from typing import Any

from cachetools import LRUCache, cached

from functionary_sgl.chat.conversation import Message
from functionary_sgl.chat.json_text import parsed

CACHE_CHARACTERS = 8_000_000

_DOUBLE_BITS = 1024
"""Integers of fewer are in the range of doubles."""


class Names:
    """The names of the turns of a conversation, to which one message after the other is added.

    Other salts give other names.
    """

    def __init__(self, salt: str) -> None:
        self._said = hashlib.blake2b(salt.encode("utf-8", "surrogatepass"))
        self._call_ids = hashlib.blake2b()

    def add(self, message: Message) -> None:
        """Go on behind `message`."""
        _add(self._said, _said(message))
        _add(self._call_ids, _ids(message))

    def of(self, message: Message) -> bytes:
        """That of the turn which says `message` next."""
        return self._named(message).digest()

    def by_calls(self, message: Message) -> bytes:
        """That of the same for a client that keeps its reasoning to itself, but was told the ids
        of the conversation's calls."""
        call_ids = self._call_ids.copy()
        _add(call_ids, _ids(message))
        named = self._named(message)
        named.update(call_ids.digest())
        return named.digest()

    def _named(self, message: Message) -> "hashlib.blake2b":
        named = self._said.copy()
        _add(named, _said(message))
        return named


def turns_told(messages: Sequence[Message], salt: str) -> Iterator[bytes]:
    """Names of the turns that said the assistant's `messages`, in their order."""
    names = Names(salt)
    for message in messages:
        if message.role == "assistant":
            yield names.of(message)
        names.add(message)


def _ids(message: Message) -> list[str]:
    return [call.id or "" for call in message.calls]


def _said(message: Message) -> list[str]:
    parts = [part if isinstance(part, str) else part.url for part in message.parts]
    calls = [text for call in message.calls for text in (call.name, _value(call.arguments))]
    return [message.role, message.content, message.reasoning, message.name or "", *parts, *calls]


@cached(LRUCache(CACHE_CHARACTERS, getsizeof=len), lock=Lock())
def _value(arguments: str) -> str:
    """The same for all spellings of an object, numbers being what JavaScript has for them; what is
    none is itself."""
    try:
        value = parsed(arguments)
    except ValueError:
        return arguments
    if not isinstance(value, dict):
        return arguments
    return json.dumps(_in_doubles(value), sort_keys=True)


def _in_doubles(value: Any) -> Any:
    match value:
        case dict():
            return {key: _in_doubles(item) for key, item in value.items()}
        case list():
            return [_in_doubles(item) for item in value]
        case int() if not isinstance(value, bool) and value.bit_length() < _DOUBLE_BITS:
            return float(value)
        case float():
            return value + 0.0  # there is one nought
    return value


def _add(digest: "hashlib.blake2b", texts: list[str]) -> None:
    for text in texts:
        encoded = text.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    digest.update(b"\xff" * 8)

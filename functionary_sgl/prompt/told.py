"""What a client was told, as the name under which a turn is remembered.

What is remembered of a turn are the ids that the model drew. They may come back only to somebody
who knows all that the turn said, in this very conversation: what a template leaves out of a prompt
(text beside calls, some have it so) would else come into the prompts of clients who never saw it.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from functionary_sgl.chat.conversation import Message


def turn_told(messages: Sequence[Message], salt: str, *, by_its_calls: bool = False) -> bytes:
    """The name of the turn that said the last of `messages`; `by_its_calls`: for a client that
    keeps its reasoning to itself, but was told the ids of its calls, which nobody can guess.

    Other salts give other names.
    """
    digest = _begun(salt)
    for message in messages[:-1]:
        _add(digest, _said(message))
    _add(digest, _said(messages[-1]) + _call_ids(messages[-1]) * by_its_calls)
    return bytes(digest.digest())


def turns_told(messages: Sequence[Message], salt: str) -> Iterator[bytes]:
    """Names of the turns that said the assistant's `messages`, in their order."""
    digest = _begun(salt)
    for message in messages:
        by_its_calls = digest.copy()
        _add(digest, _said(message))
        if message.role == "assistant":
            yield digest.digest()
            if message.calls and not message.reasoning:
                _add(by_its_calls, _said(message) + _call_ids(message))
                yield by_its_calls.digest()


def _begun(salt: str) -> Any:
    return hashlib.blake2b(salt.encode("utf-8", "surrogatepass"))


def _call_ids(message: Message) -> list[str]:
    return ["ids", *(call.id or "" for call in message.calls)]


def _said(message: Message) -> list[str]:
    parts = [part if isinstance(part, str) else part.url for part in message.parts]
    calls = [text for call in message.calls for text in (call.name, call.arguments)]
    return [message.role, message.content, message.reasoning, message.name or "", *parts, *calls]


def _add(digest: Any, texts: list[str]) -> None:
    for text in texts:
        encoded = text.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    digest.update(b"\xff" * 8)

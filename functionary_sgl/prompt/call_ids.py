"""The ids of calls in the form that a model knows, where its chat template shows them.

Clients have ids of their own: what they were told, or what another server told them.
"""

import hashlib
import string
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from functionary_sgl.chat.conversation import Call, Message

_ALPHANUMERIC = string.ascii_letters + string.digits

Shown = Callable[[Sequence[Message]], Iterator[Message]]
"""Messages with the ids that a template is to show."""


def shown_by(template: str) -> Shown:
    """How `template` is to show them, by the marks in it."""
    if "[TOOL_CALLS]" in template:  # Mistral's accept no others
        return lambda messages: _each(messages, _nine_characters)
    if "<|tool_call_argument_begin|>" in template:
        return numbered
    return lambda messages: _each(messages, str)


def numbered(messages: Sequence[Message]) -> Iterator[Message]:
    """As Kimi's models write them: `functions.NAME:0` and on from there over the conversation. A
    result has the id of the nearest call before it that had its own."""
    known: dict[str, str] = {}
    count = 0

    def number(call: Call) -> Call:
        nonlocal count
        call_id = f"functions.{call.name}:{count}"
        count += 1
        known[call.id or call.name] = call_id
        return replace(call, id=call_id)

    for message in messages:
        calls = tuple(map(number, message.calls))
        given = _of_result(message)
        yield replace(message, calls=calls, call_id=known.get(given, given))


def _each(messages: Sequence[Message], id_: Callable[[str], str]) -> Iterator[Message]:
    for message in messages:
        calls = tuple(replace(c, id=id_(c.id or c.name)) for c in message.calls)
        yield replace(message, calls=calls, call_id=id_(_of_result(message)))


def _of_result(message: Message) -> str:
    return message.call_id or message.name or "tool"


def _nine_characters(call_id: str) -> str:
    if len(call_id) == 9 and call_id.isalnum() and call_id.isascii():
        return call_id
    number = int.from_bytes(hashlib.blake2b(call_id.encode(), digest_size=16).digest(), "big")
    return "".join(_ALPHANUMERIC[number // 62**place % 62] for place in range(9))

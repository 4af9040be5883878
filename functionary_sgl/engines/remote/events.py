"""Server-sent events, as SGLang sends them: lines of `data:`, each with JSON, and a last one."""

from collections.abc import AsyncGenerator, AsyncIterable
from typing import Any

import orjson

MOST_BYTES = 2**24
"""Of one event: with 20 alternatives to each of a thousand ids it is a tenth of that."""

_END = b"[DONE]"


class Nonsense(Exception):
    """It is not what engines send."""


async def events(received: AsyncIterable[bytes]) -> AsyncGenerator[dict[str, Any], None]:
    """The objects in what was `received`, until it says that it is at its end, or breaks off.
    Raises Nonsense."""
    rest = b""
    async for part in received:
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            kind, _, content = line.strip().partition(b":")
            content = content.strip()
            if kind == b"data" and content == _END:
                return
            if kind == b"data":
                yield parsed(content)
            elif kind:  # SSE has comments, which begin with a colon, and fields that none has here
                raise Nonsense("it sent what is no event")
        if len(rest) > MOST_BYTES:
            raise Nonsense(f"it sent an event of more than {MOST_BYTES} bytes")


def parsed(text: bytes) -> dict[str, Any]:
    """An object in JSON. Raises Nonsense."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Nonsense("it sent what is no JSON") from error
    if not isinstance(found, dict):
        raise Nonsense("it sent JSON that is no object")
    return found

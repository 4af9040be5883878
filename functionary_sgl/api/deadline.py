"""Until when an answer has to be whole: as the operator says, and whoever asks.

Two headers say how long a client waits in all: `Request-Timeout-Ms`, which Baseten's clients send
and openai-python#3277 proposes, and Envoy's `x-envoy-expected-rq-timeout-ms`, with which it tells
those behind it when it will cut a request off. OpenAI's own clients send
`x-stainless-read-timeout`, which is no such thing: it is how long they take silence for, anew with
each piece. `grpc-timeout` is for gRPC.
"""

import asyncio
import re
from collections.abc import Awaitable
from typing import TypeVar

from starlette.datastructures import Headers

from functionary_sgl.errors import DeadlineExceeded

T = TypeVar("T")

_MILLISECONDS = re.compile("[0-9]{1,12}")

HEADERS = ("request-timeout-ms", "x-envoy-expected-rq-timeout-ms")


def deadline(headers: Headers, seconds: float | None) -> float | None:
    """When the answer to a request that comes now has to be whole, in the event loop's time, if the
    operator allows it so many `seconds`; None: whenever."""
    given = [headers.get(name, "") for name in HEADERS]
    # Envoy says 0 where it waits for ever.
    asked = [int(text) / 1000 for text in given if _MILLISECONDS.fullmatch(text)]
    allowed = [each for each in (*asked, seconds) if each]
    return asyncio.get_running_loop().time() + min(allowed) if allowed else None


async def within(deadline: float | None, work: Awaitable[T]) -> T:
    """The result of `work`, which is cancelled at the deadline (then: DeadlineExceeded)."""
    if deadline is None:
        return await work
    try:
        async with asyncio.timeout_at(deadline) as timeout:
            return await work
    except TimeoutError as error:
        if not timeout.expired():
            raise
        raise DeadlineExceeded("The answer took longer than this request may.") from error

"""How a stream begins: with a status, where it fails soon."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import AsyncExitStack, aclosing
from typing import Any, Protocol, TypeVar

from functionary_sgl.api import events
from functionary_sgl.api.deadline import within

Chunk = dict[str, Any]


class Streamed(Protocol):
    """An answer that can be told piece by piece."""

    def chunks(self) -> AsyncGenerator[Chunk, None]: ...


AnswerT = TypeVar("AnswerT", bound=Streamed)


async def begun(
    making: Awaitable[AnswerT], until: float | None, held: AsyncExitStack
) -> tuple[AnswerT, AsyncGenerator[Chunk, None], asyncio.Future[Chunk]]:
    """An answer, its chunks and the first of them, which may not be there yet.

    It is awaited before the headers go out: what fails until then has a status. But not for so
    long that somebody on the way takes the connection for dead.
    """
    answer = await making
    chunks = await held.enter_async_context(aclosing(answer.chunks()))
    first = asyncio.ensure_future(within(until, anext(chunks)))
    held.push_async_callback(_cancel, first)
    await asyncio.wait({first}, timeout=events.KEEP_ALIVE_SECONDS)
    return answer, chunks, first


async def _cancel(task: asyncio.Future[Any]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

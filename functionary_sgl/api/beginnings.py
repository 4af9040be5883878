"""How an answer begins, the same in all protocols: what is asked, by when, and the first piece."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, aclosing
from typing import Any, Protocol, TypeVar

from fastapi import Request

from functionary_sgl.api import events
from functionary_sgl.api.answers import while_client_waits
from functionary_sgl.api.bodies import parsed
from functionary_sgl.api.deadline import deadline, within
from functionary_sgl.api.events import EventStreamResponse
from functionary_sgl.model import Model

Chunk = dict[str, Any]
Chunks = AsyncGenerator[Chunk, None]
First = asyncio.Future[Chunk]


class Streamed(Protocol):
    """An answer that can be told piece by piece, each time from its beginning; `headers` go with
    it."""

    @property
    def headers(self) -> Mapping[str, str]: ...

    def chunks(self) -> Chunks: ...


AnswerT = TypeVar("AnswerT", bound=Streamed)
AskedT = TypeVar("AskedT")


async def received(
    request: Request, read: Callable[[bytes, Model], AskedT]
) -> tuple[Model, float | None, AskedT]:
    """The model that `request` is for, its deadline, and what `read` makes of its body. Raises
    ServerStopping where nothing is answered any more, and what `read` does."""
    model: Model = request.app.state.model
    model.admission.check_open()
    until = deadline(request.headers, request.app.state.request_seconds)
    return model, until, await within(until, parsed(request, lambda body: read(body, model)))


async def streamed(
    request: Request,
    making: Awaitable[AnswerT],
    until: float | None,
    held: AsyncExitStack,
    tell: Callable[[AnswerT, First, Chunks], AsyncGenerator[bytes, None]],
) -> EventStreamResponse:
    """An answer as it comes, until a deadline, with what is `held` for it. `tell` makes events of
    its first chunk and those behind that."""
    answer, chunks, first = await while_client_waits(request.receive, _begun(making, until, held))
    if first.done():
        first.result()
    quiet = not first.done()
    return EventStreamResponse(tell(answer, first, chunks), held.pop_all(), answer.headers, quiet)


async def _begun(
    making: Awaitable[AnswerT], until: float | None, held: AsyncExitStack
) -> tuple[AnswerT, Chunks, First]:
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

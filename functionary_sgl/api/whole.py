"""Whole answers, the same in all protocols: the chunks of a stream, folded."""

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Protocol

from fastapi import Request

from functionary_sgl.api.answers import JSONResponse, while_client_waits
from functionary_sgl.api.beginnings import AnswerT, Chunk, Streamed
from functionary_sgl.api.deadline import within
from functionary_sgl.errors import EngineLost
from functionary_sgl.metrics import ANSWERS_AGAIN


class Folding(Protocol):
    """Takes chunks one by one; `completion` is what they add up to."""

    def add(self, chunk: Chunk) -> None: ...

    def completion(self) -> Chunk: ...


async def answered(
    request: Request,
    making: Awaitable[AnswerT],
    until: float | None,
    fold: Callable[[], Folding],
) -> JSONResponse:
    """The response to `request`, when all of its answer is there, until a deadline. Raises what
    making it does."""

    async def made() -> tuple[AnswerT, Chunk]:
        answer = await making
        return answer, await whole(answer, fold)

    answer, folded = await while_client_waits(request.receive, within(until, made()))
    return JSONResponse(folded, headers=answer.headers)


async def whole(answer: Streamed, fold: Callable[[], Folding]) -> Chunk:
    """All of `answer`. It is begun once more where an engine elsewhere was lost in the middle of
    it: nobody has seen anything of it yet."""
    try:
        return await _folded(answer, fold())
    except EngineLost:
        ANSWERS_AGAIN.inc()
        return await _folded(answer, fold())


async def _folded(answer: Streamed, fold: Folding) -> Chunk:
    async with aclosing(answer.chunks()) as chunks:
        async for chunk in chunks:
            fold.add(chunk)
    return fold.completion()

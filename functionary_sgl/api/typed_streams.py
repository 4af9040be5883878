"""Streams whose events have a type, which is also their name: those of Responses and Messages."""

from collections.abc import AsyncGenerator, Callable, Iterable

from functionary_sgl.api.beginnings import Chunk, Chunks, First
from functionary_sgl.api.deadline import within
from functionary_sgl.api.events import event


async def told_by_type(
    first: First,
    chunks: Chunks,
    until: float | None,
    failed: Callable[[Exception], Iterable[Chunk]],
) -> AsyncGenerator[bytes, None]:
    """Chunks as events; those that `failed` has of an error come last. Nothing else ends them."""
    try:
        chunk: Chunk | None = await first
        while chunk is not None:
            yield event(chunk, chunk["type"])
            chunk = await within(until, anext(chunks, None))
    except Exception as error:
        for last in failed(error):
            yield event(last, last["type"])

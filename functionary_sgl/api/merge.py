"""Several streams at once, as one."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TypeVar

T = TypeVar("T")

MOST_WAITING = 64
"""Items of all streams that may wait for a consumer; beyond that the streams wait."""


async def merged(streams: Sequence[AsyncGenerator[T, None]]) -> AsyncGenerator[T, None]:
    """The items of all `streams`, in the order in which they come; the order within each is kept.

    Ends with the first error of any. Closing it closes them all.
    """
    queue: asyncio.Queue[T | Exception | None] = asyncio.Queue(MOST_WAITING)

    async def pump(stream: AsyncGenerator[T, None]) -> None:
        end = None
        try:
            async with aclosing(stream):
                async for item in stream:
                    await queue.put(item)
        except Exception as error:
            end = error
        await queue.put(end)

    pumps = [asyncio.ensure_future(pump(stream)) for stream in streams]
    left = len(pumps)
    try:
        while left:
            item = await queue.get()
            if isinstance(item, Exception):
                raise item
            if item is None:
                left -= 1
            else:
                yield item
    finally:
        for task in pumps:
            task.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)

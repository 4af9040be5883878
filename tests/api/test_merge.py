import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from functionary_sgl.api.merge import merged


def collected(*streams: AsyncGenerator[int, None]) -> list[int]:
    async def collect() -> list[int]:
        return [item async for item in merged(streams)]

    return asyncio.run(collect())


async def counting(start: int, pause: float) -> AsyncGenerator[int, None]:
    for number in range(start, start + 3):
        await asyncio.sleep(pause)
        yield number


def test_all_items_come_in_their_streams_order() -> None:
    items = collected(counting(0, 0.001), counting(10, 0.002))
    assert [item for item in items if item < 10] == [0, 1, 2]
    assert [item for item in items if item >= 10] == [10, 11, 12]


def test_an_error_of_one_ends_all() -> None:
    async def failing() -> AsyncGenerator[int, None]:
        yield 1
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        collected(failing(), counting(0, 10))


def test_closing_closes_all() -> None:
    closed = []

    async def noting(name: str) -> AsyncGenerator[int, None]:
        try:
            yield 0
            await asyncio.Event().wait()
        finally:
            closed.append(name)

    async def leave() -> None:
        async with aclosing(merged([noting("a"), noting("b")])) as items:
            async for _ in items:
                break

    asyncio.run(leave())
    assert sorted(closed) == ["a", "b"]

import asyncio
import gc
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from functionary_sgl.api.merge import MOST_WAITING, merged


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


def test_streams_wait_for_a_slow_reader() -> None:
    made = []

    async def eager() -> AsyncGenerator[int, None]:
        for number in range(10_000):
            made.append(number)
            yield number

    async def read() -> None:
        async with aclosing(merged([eager(), eager()])) as items:
            await anext(items)
            await asyncio.sleep(0.01)

    asyncio.run(read())
    assert len(made) < 2 * MOST_WAITING


@pytest.mark.parametrize("fails", [False, True])
def test_leaving_leaves_nothing_unread(fails: bool) -> None:
    """asyncio complains of errors that nobody has asked for."""
    complaints = []

    async def slow() -> AsyncGenerator[int, None]:
        yield 1
        await asyncio.sleep(0.001)
        if fails:
            raise ValueError("broken")
        await asyncio.Event().wait()

    async def leave() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        async with aclosing(merged([slow(), slow(), slow()])) as items:
            await anext(items)
            await asyncio.sleep(0.01)
        gc.collect()
        await asyncio.sleep(0.01)

    asyncio.run(leave())
    assert complaints == []

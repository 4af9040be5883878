"""Work that several wait for is done once, and for nobody not at all."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

import pytest

from functionary_sgl.gate.shared import Shared


class Work:
    begun = 0
    ended = 0

    def __init__(self) -> None:
        self.go_on = asyncio.Event()

    async def do(self) -> int:
        self.begun += 1
        await self.go_on.wait()
        self.ended += 1
        return self.ended


def in_a_loop(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    @wraps(test)
    def run() -> None:
        asyncio.run(test())

    return run


async def soon() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@in_a_loop
async def test_all_who_wait_get_one_result() -> None:
    shared: Shared[str, int] = Shared()
    work = Work()
    tasks = [asyncio.create_task(shared.result("a", work.do)) for _ in range(5)]
    await soon()
    tasks[0].cancel()
    await soon()
    work.go_on.set()
    assert await asyncio.gather(*tasks[1:]) == [1] * 4
    assert await shared.result("a", work.do) == 2


@in_a_loop
async def test_each_key_has_work_of_its_own() -> None:
    shared: Shared[str, int] = Shared()
    work = Work()
    work.go_on.set()
    assert sorted(await asyncio.gather(*(shared.result(key, work.do) for key in "abc"))) == [
        1,
        2,
        3,
    ]


@in_a_loop
async def test_nothing_is_done_for_nobody_and_who_comes_then_begins_anew() -> None:
    shared: Shared[str, int] = Shared()
    work = Work()
    gone = asyncio.create_task(shared.result("a", work.do))
    await soon()
    gone.cancel()
    await asyncio.sleep(0)
    work.go_on.set()
    assert await shared.result("a", work.do) == 1
    assert work.begun == 2
    assert gone.cancelled()


@in_a_loop
async def test_an_error_reaches_all() -> None:
    shared: Shared[str, int] = Shared()

    async def fail() -> int:
        await asyncio.sleep(0)
        raise ValueError("no")

    told = await asyncio.gather(
        *(shared.result("a", fail) for _ in range(3)), return_exceptions=True
    )
    assert [str(error) for error in told] == ["no"] * 3
    with pytest.raises(ValueError, match="no"):
        await shared.result("a", fail)

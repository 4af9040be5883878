"""What of a request of SGLang waits for whoever reads it."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functionary_sgl.engines.generate import outputs
from functionary_sgl.engines.sglang import stream
from functionary_sgl.errors import EngineError

# Outputs as SGLang gives them, of so many ids each, and after how many of them the reader looks.
SIZES = st.lists(st.integers(1, 5), min_size=1, max_size=12)


class Manager:
    """Gives outputs of these sizes; notes what was aborted."""

    def __init__(self, sizes: list[int]) -> None:
        self._sizes = sizes
        self.aborted: list[str] = []

    async def generate_request(self, request: Any, _: None) -> AsyncGenerator[Any, None]:
        at = 0
        for number, size in enumerate(self._sizes):
            ids = list(range(at, at + size))
            at += size
            last = number == len(self._sizes) - 1
            meta = {
                "finish_reason": {"type": "length"} if last else None,
                "output_token_logprobs": [(-float(i), i, None) for i in ids],
            }
            await asyncio.sleep(0)
            yield {"output_ids": ids, "meta_info": meta}

    def abort_request(self, rid: str) -> None:
        self.aborted.append(rid)


@pytest.mark.filterwarnings("ignore")
@given(SIZES, st.lists(st.integers(0, 4), max_size=12))
def test_however_late_it_is_read_it_is_the_same(sizes: list[int], pauses: list[int]) -> None:
    async def read() -> tuple[list[int], list[int]]:
        reading = stream.Stream(Manager(sizes), [1], {})
        ids, told = [], []
        for pause in [*pauses, *[0] * len(sizes)]:
            for _ in range(pause):
                await asyncio.sleep(0)
            output = await reading.next()
            ids += output.ids
            told += [token for _, token, _ in output.meta["output_token_logprobs"]]
            if output.meta["finish_reason"]:
                break
        return ids, told

    everything = list(range(sum(sizes)))
    assert asyncio.run(read()) == (everything, everything)


@pytest.mark.filterwarnings("ignore")
def test_who_does_not_read_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "MOST_UNREAD", 100)

    async def wait() -> None:
        manager = Manager([1] * 10_000)
        reading = stream.Stream(manager, [1], {"top_logprobs_num": 1})
        for _ in range(20_000):
            await asyncio.sleep(0)
        assert len(manager.aborted) == 1
        assert len((await reading.next()).ids) == 51
        with pytest.raises(EngineError, match="nobody has read"):
            await reading.next()

    asyncio.run(wait())


@pytest.mark.filterwarnings("ignore")
def test_what_went_wrong_comes_behind_what_came_before() -> None:
    async def read() -> None:
        reading = stream.Stream(Manager([2, 2]), [1], {})
        for _ in range(4):
            await asyncio.sleep(0)
        reading.fail(EngineError("gone"))
        assert (await reading.next()).ids[:2] == [0, 1]
        for _ in range(2):
            with pytest.raises(EngineError, match="gone"):
                await reading.next()

    asyncio.run(read())

"""One request by a turn's grammar, and what has come of it."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

from functionary_sgl.engines.base import Answering, Chunk, Request


class TurnRequest:
    """`request`, which is sent to `engine` at once. `ids` are those that have come, `told` is the
    chunk that came last. Close it."""

    def __init__(self, engine: Answering, request: Request) -> None:
        self._start = list(request.token_ids)
        self._arrived = asyncio.Event()
        self.ids: list[int] = []
        self.told = Chunk(())
        self._task = asyncio.create_task(self._pump(engine, request))
        # What goes wrong in it concerns nobody who has given it up.
        self._task.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def place(self, token_ids: Sequence[int]) -> int | None:
        """Where in `ids` what follows `token_ids` begins; None if it went another way."""
        if list(token_ids[: len(self._start)]) != self._start:
            return None
        held = list(token_ids[len(self._start) :])
        if held and not await self.has(len(held) - 1):
            return None
        return len(held) if self.ids[: len(held)] == held else None

    async def has(self, place: int) -> bool:
        """Whether there is an id at `place`, which may yet come. Raises what the engine does."""
        while len(self.ids) <= place and not self._task.done():
            await self._arrived.wait()
            self._arrived.clear()
        if self._task.done() and not self._task.cancelled():
            self._task.result()
        return len(self.ids) > place

    def close(self) -> None:
        """Ask for no more of it."""
        self._task.cancel()

    async def _pump(self, engine: Answering, request: Request) -> None:
        try:
            async with aclosing(engine.generate(request)) as chunks:
                async for chunk in chunks:
                    self.ids += chunk.token_ids
                    self.told = chunk
                    self._arrived.set()
        finally:
            self._arrived.set()

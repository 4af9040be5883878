"""Responses that are made while nobody waits for them (`background`)."""

import asyncio
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from typing import Any

from functionary_sgl.api.deadline import within
from functionary_sgl.api.responses.answer import Answer
from functionary_sgl.api.responses.fold import Last
from functionary_sgl.api.whole import whole
from functionary_sgl.errors import RequestError

Told = dict[str, Any]
Key = tuple[bytes, str]


class Job:
    """A response that is being made, until a deadline, with what is `held` for it."""

    def __init__(self, answer: Answer, until: float | None, held: AsyncExitStack) -> None:
        self._answer = answer
        self._until = until
        self._held = held

    @property
    def response(self) -> Told:
        """As it is now."""
        return self._answer.events.response

    async def run(self) -> None:
        """Make it, and keep what has become of it, however that ends."""
        async with self._held:
            try:
                await within(self._until, whole(self._answer, Last))
                return
            except asyncio.CancelledError:
                self._answer.events.cancel()
            except Exception as error:
                self._answer.failed(error)
        await self._answer.keeper.keep(self.response)


class Jobs:
    """Those under way, by whose they are and their ids."""

    def __init__(self) -> None:
        self._running: dict[Key, tuple[Job, asyncio.Task[None]]] = {}

    def __len__(self) -> int:
        return len(self._running)

    async def start(
        self, tenant: bytes, making: Awaitable[Answer], until: float | None, held: AsyncExitStack
    ) -> tuple[Answer, Told]:
        """An answer of `tenant`, and its response at its beginning. Raises RequestError for all
        that is wrong with it, and where it is too large to be kept."""
        answer = await making
        response = answer.events.response
        await answer.keeper.keep(response)
        if not response["store"]:
            raise RequestError(
                "This is too large to be kept until it is asked for; leave out 'background'.",
                param="background",
            )
        job, key = Job(answer, until, held.pop_all()), (tenant, response["id"])
        task = asyncio.create_task(job.run())
        self._running[key] = job, task
        task.add_done_callback(lambda _: self._running.pop(key))
        return answer, response

    def get(self, tenant: bytes, id: str) -> Told | None:
        """The response of this `id` as it is now; None where it is not under way."""
        found = self._running.get((tenant, id))
        return None if found is None else found[0].response

    async def cancel(self, tenant: bytes, id: str) -> None:
        """Have it be `cancelled` if it is under way."""
        found = self._running.get((tenant, id))
        if found is not None:
            found[1].cancel()
            await asyncio.wait({found[1]})

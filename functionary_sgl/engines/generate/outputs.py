"""What SGLang gives for a request, waiting for whoever asked."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from functionary_sgl.errors import EngineError

MOST_UNREAD = 65_536
"""Ids that may wait for a consumer, each counted with the alternatives that are told of it. One
that falls further behind is not coming: it would hold memory that others need."""

_LOGPROBS = ("output_token_logprobs", "output_top_logprobs", "output_token_ids_logprobs")


@dataclass(slots=True)
class Output:
    """What came since the output before: ids, and SGLang's `meta_info`, whose log-probabilities
    are those of these ids."""

    ids: list[int]
    meta: dict[str, Any]

    def add(self, later: "Output") -> None:
        """Take in what came after this."""
        for key in _LOGPROBS:
            if told := self.meta.get(key):
                told.extend(later.meta.get(key) or ())
                later.meta[key] = told
        self.ids += later.ids
        self.meta = later.meta


class Outputs:
    """Those of one request. What comes while its consumer does something else waits as one.

    `alternatives`: how many come with each id. `abandon` is called when the consumer has fallen too
    far behind.
    """

    def __init__(self, alternatives: int, abandon: Callable[[], None]) -> None:
        self._most_unread = MOST_UNREAD // (1 + alternatives)
        self._abandon = abandon
        self._waiting: Output | None = None
        self._error: Exception | None = None
        self._loop = asyncio.get_running_loop()
        self._arrival: asyncio.Future[None] | None = None  # for which the consumer waits

    async def next(self) -> Output:
        """The next output; raises what went wrong, behind all that came before."""
        if self._waiting is None and self._error is None:
            self._arrival = self._loop.create_future()
            await self._arrival
        output, self._waiting = self._waiting, None
        if output is None:
            assert self._error is not None
            raise self._error
        return output

    def fail(self, error: Exception) -> None:
        """Let the consumer end with `error`."""
        self._error = self._error or error
        self._wake()

    def take(self, output: Output) -> None:
        """Hand on what came."""
        if self._error is not None:
            return
        if self._waiting is None:
            self._waiting = output
        else:
            self._waiting.add(output)
        self._wake()
        if len(self._waiting.ids) > self._most_unread:
            self.fail(EngineError("The answer was given up: nobody has read it for too long."))
            self._abandon()

    def _wake(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)

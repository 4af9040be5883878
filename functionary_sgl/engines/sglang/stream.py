"""One request of SGLang, and what it gives."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from functionary_sgl.errors import EngineError, RequestError

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


class Stream:
    """One request of SGLang, pumped by a task of its own.

    A consumer that is cancelled must not cancel SGLang's own coroutine, which has been seen to
    take the engine with it (sgl-project/sglang#39216): it aborts, and the task drains the rest.
    What comes while the consumer does something else waits as one output.
    """

    def __init__(self, manager: Any, token_ids: Sequence[int], arguments: dict[str, Any]) -> None:
        self._manager = manager
        # Aborts match request ids by prefix, so ids have a fixed length.
        self._id = uuid4().hex
        self._waiting: Output | None = None
        self._error: Exception | None = None
        self._loop = asyncio.get_running_loop()
        self._arrival: asyncio.Future[None] | None = None  # for which the consumer waits
        self._most_unread = MOST_UNREAD // (1 + (arguments.get("top_logprobs_num") or 0))
        self._task = asyncio.create_task(self._pump(list(token_ids), arguments))

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

    def abandon(self) -> None:
        """Stop the request in the engine unless it is finished."""
        if not self._task.done():
            self._manager.abort_request(rid=self._id)

    def _wake(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)

    def _take(self, output: Output) -> None:
        if self._error is not None:
            return
        if self._waiting is None:
            self._waiting = output
        else:
            self._waiting.add(output)
        self._wake()
        if len(self._waiting.ids) > self._most_unread:
            self.fail(EngineError("The answer was given up: nobody has read it for too long."))
            self.abandon()

    async def _pump(self, token_ids: list[int], arguments: dict[str, Any]) -> None:
        from sglang.srt.managers.io_struct import GenerateReqInput

        request = GenerateReqInput(input_ids=token_ids, rid=self._id, stream=True, **arguments)
        try:
            async for output in self._manager.generate_request(request, None):
                self._take(Output(output["output_ids"], output["meta_info"]))
        except ValueError as error:
            self.fail(RequestError(str(error)))
        except Exception as error:
            self.fail(EngineError(f"The engine failed: {error}"))

"""One request of SGLang, and what it gives."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from functionary_sgl.errors import EngineError, RequestError


class Stream:
    """One request of SGLang, pumped by a task of its own.

    A consumer that is cancelled must not cancel SGLang's own coroutine, which has been seen to
    take the engine with it (sgl-project/sglang#39216): it aborts, and the task drains the rest.
    """

    def __init__(self, manager: Any, token_ids: Sequence[int], arguments: dict[str, Any]) -> None:
        self._manager = manager
        # Aborts match request ids by prefix, so ids have a fixed length.
        self._id = uuid4().hex
        self._queue: asyncio.Queue[dict[str, Any] | Exception] = asyncio.Queue()
        self._task = asyncio.create_task(self._pump(list(token_ids), arguments))

    async def next(self) -> dict[str, Any]:
        """The next output; raises what went wrong."""
        item = await self._queue.get()
        if isinstance(item, Exception):
            raise item
        return item

    def fail(self, error: Exception) -> None:
        """Let the consumer end with `error`."""
        self._queue.put_nowait(error)

    def abandon(self) -> None:
        """Stop the request in the engine unless it is finished."""
        if not self._task.done():
            self._manager.abort_request(rid=self._id)

    async def _pump(self, token_ids: list[int], arguments: dict[str, Any]) -> None:
        from sglang.srt.managers.io_struct import GenerateReqInput

        request = GenerateReqInput(input_ids=token_ids, rid=self._id, stream=True, **arguments)
        try:
            async for output in self._manager.generate_request(request, None):
                # SGLang goes on appending to this very list.
                output["output_ids"] = list(output["output_ids"])
                self._queue.put_nowait(output)
        except ValueError as error:
            self._queue.put_nowait(RequestError(str(error)))
        except Exception as error:
            self._queue.put_nowait(EngineError(f"The engine failed: {error}"))

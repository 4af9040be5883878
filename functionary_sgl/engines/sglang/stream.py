"""One request of SGLang in this process."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from functionary_sgl.engines.generate.outputs import Output, Outputs
from functionary_sgl.errors import EngineError, RequestError


class Stream:
    """One request of SGLang, pumped by a task of its own.

    A consumer that is cancelled must not cancel SGLang's own coroutine, which has been seen to
    take the engine with it (sgl-project/sglang#39216): it aborts, and the task drains the rest.
    """

    def __init__(self, manager: Any, token_ids: Sequence[int], fields: dict[str, Any]) -> None:
        self._manager = manager
        # Aborts match request ids by prefix, so ids have a fixed length.
        self._id = uuid4().hex
        self._outputs = Outputs(fields.get("top_logprobs_num") or 0, self.abandon)
        self._task = asyncio.create_task(self._pump(list(token_ids), fields))

    async def next(self) -> Output:
        """As `Outputs.next`."""
        return await self._outputs.next()

    def fail(self, error: Exception) -> None:
        """As `Outputs.fail`."""
        self._outputs.fail(error)

    def abandon(self) -> None:
        """Stop the request in the engine unless it is finished."""
        if not self._task.done():
            self._manager.abort_request(rid=self._id)

    async def _pump(self, token_ids: list[int], fields: dict[str, Any]) -> None:
        from sglang.srt.managers.io_struct import GenerateReqInput

        request = GenerateReqInput(input_ids=token_ids, rid=self._id, stream=True, **fields)
        try:
            async for output in self._manager.generate_request(request, None):
                self._outputs.take(Output(output["output_ids"], output["meta_info"]))
        except ValueError as error:
            self._outputs.fail(RequestError(str(error)))
        except Exception as error:
            self._outputs.fail(EngineError(f"The engine failed: {error}"))

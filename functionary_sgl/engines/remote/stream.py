"""One request of an engine elsewhere."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import Any
from uuid import uuid4

from functionary_sgl.engines.generate.outputs import Output, Outputs
from functionary_sgl.engines.remote.connection import Connection, Lost, refusal
from functionary_sgl.engines.remote.peer import Peer
from functionary_sgl.errors import EngineError, EngineLost, EngineUnreachable, FunctionaryError
from functionary_sgl.metrics import ENGINE_FAILURES, ENGINE_RETRIES

RETRY_WAITS = (0.1, 0.5, 1.0)
"""Seconds before it is sent once more. Long enough for a router to take another engine, and for
connections that were closed meanwhile; an engine that starts anew takes a minute."""

RETRY_SECONDS = 10.0
"""When this has passed it is not sent again, whatever has failed: its client has waited long."""

_BACKGROUND: set[asyncio.Task[int]] = set()


class RemoteStream:
    """One request, pumped by a task of its own.

    It is sent again where something fails before its first output: nobody has seen anything of it,
    and all that came before it in its turn is in its ids. Behind that the answer ends.
    """

    def __init__(
        self,
        connection: Connection,
        peer: Peer,
        token_ids: Sequence[int],
        fields: Mapping[str, Any],
        patient: bool,
    ) -> None:
        """`patient`: it is sent again where that makes sense. Raises as `Peer.body` does."""
        self._connection = connection
        self._peer = peer
        # Aborts match request ids by prefix, so ids have a fixed length.
        self._id = uuid4().hex
        self._body = peer.body(self._id, token_ids, fields)
        self._waits = RETRY_WAITS if patient else ()
        self._outputs = Outputs(fields.get("top_logprobs_num") or 0, self.abandon)
        self._begun = self._finished = False
        self._task = asyncio.create_task(self._pump())

    async def next(self) -> Output:
        """As `Outputs.next`."""
        return await self._outputs.next()

    def fail(self, error: Exception) -> None:
        """As `Outputs.fail`."""
        self._outputs.fail(error)

    def abandon(self) -> None:
        """Stop the request in the engine unless it is finished: a connection that is closed says
        that, to routers too; SGLang's own server hears it late, so it is told besides."""
        if self._task.done() or self._finished:
            return
        self._task.cancel()
        if self._peer.plain:
            telling = asyncio.ensure_future(self._connection.tell_abort(self._id))
            _BACKGROUND.add(telling)
            telling.add_done_callback(_BACKGROUND.discard)

    async def _pump(self) -> None:
        sent = time.monotonic()
        for number in range(len(self._waits) + 1):
            try:
                await self._attempt()
                return
            except FunctionaryError as error:
                self._outputs.fail(error)
                return
            except Lost as lost:
                if self._finished:
                    return
                ENGINE_FAILURES.labels(lost.reason).inc()
                late = time.monotonic() - sent > RETRY_SECONDS
                if self._begun or late or number == len(self._waits):
                    self._outputs.fail(self._failure(lost))
                    return
            except Exception as error:
                self._outputs.fail(EngineError(f"The engine failed: {error}"))
                return
            await asyncio.sleep(self._waits[number])
            ENGINE_RETRIES.inc()

    async def _attempt(self) -> None:
        """Send it once, and hand on what comes until it is finished."""
        async with aclosing(self._connection.stream("/generate", self._body)) as events:
            async for event in events:
                if "error" in event:
                    raise refusal(event["error"])
                output = self._output(event)
                if self._finished:
                    raise Lost("nonsense", "it goes on behind its end")
                self._begun = True
                self._outputs.take(output)
                # What is behind it is read too, or its connection could not be used again.
                self._finished = bool(output.meta["finish_reason"])
        if not self._finished:
            raise Lost("cut", "it broke off its answer")

    def _output(self, event: Mapping[str, Any]) -> Output:
        match event:
            case {
                "output_ids": list(ids),
                "meta_info": {"finish_reason": dict() | None, "prompt_tokens": int()} as meta,
            } if all(isinstance(token_id, int) for token_id in ids):
                if self._peer.answers(meta):
                    return Output(ids, meta)
                raise Lost("nonsense", "it is another model, or no engine of functionary-sgl")
        raise Lost("nonsense", "it sent what is no answer")

    def _failure(self, lost: Lost) -> EngineUnreachable:
        if self._begun:
            return EngineLost(
                f"The engine was lost in the middle of this answer ({lost}); send this again."
            )
        return EngineUnreachable(f"The engine does not answer ({lost}); send this again later.")

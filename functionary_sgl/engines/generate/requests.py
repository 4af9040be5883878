"""Requests of turns to SGLang's `generate`, wherever it runs."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, ParamSpec, Protocol, TypeVar

from functionary_sgl.engines.base import Chunk, Request, Scores, TurnContext
from functionary_sgl.engines.generate import fields
from functionary_sgl.engines.generate.meta_info import passes
from functionary_sgl.engines.generate.outputs import Output
from functionary_sgl.errors import EngineError
from functionary_sgl.metrics import ACCEPTED_DRAFT_TOKENS, ENGINE_PASSES, ENGINE_REQUESTS

P = ParamSpec("P")
T = TypeVar("T")


class Running(Protocol):
    """One request that has been sent."""

    async def next(self) -> Output:
        """As `Outputs.next`."""

    def fail(self, error: Exception) -> None:
        """As `Outputs.fail`."""

    def abandon(self) -> None:
        """Stop it in the engine unless it is finished."""


def _as_it_is(reader: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return reader(*args, **kwargs)


class Requests:
    """Those of one engine. `send` sends one, by its ids and the fields beside them; `guided`:
    constraints go to llguidance. `read` calls what reads an output: one of another machine may
    have any shape inside.
    """

    def __init__(
        self,
        send: Callable[[Sequence[int], dict[str, Any]], Running],
        context_length: int,
        guided: bool,
        read: Callable[..., Any] = _as_it_is,
    ) -> None:
        self._send = send
        self._context_length = context_length
        self._guided = guided
        self._read = read
        self._running: set[Running] = set()
        self._end: EngineError | None = None

    @property
    def busy(self) -> bool:
        """Whether there is one that is not finished."""
        return bool(self._running)

    async def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """As `Engine.generate`."""
        made = partial(fields.generation, request, self._context_length, self._guided)
        # Not on the event loop: the grammar of a large schema takes a while to be written.
        asked = await asyncio.to_thread(made) if request.constraint else made()
        async with aclosing(self._outputs(request.token_ids, asked)) as outputs:
            async for output in outputs:
                yield self._read(fields.chunk, output, len(request.token_ids))

    async def score(
        self, token_ids: Sequence[int], candidates: Sequence[int], turn: TurnContext
    ) -> Scores:
        """As `Engine.score`."""
        asked = fields.scoring(candidates, turn)
        async with aclosing(self._outputs(token_ids, asked)) as outputs:
            async for output in outputs:
                if output.meta["finish_reason"]:
                    scores: Scores = self._read(fields.scores, output, candidates, len(token_ids))
                    return scores
        raise EngineError("The engine gave no log-probabilities.")

    def give_up(self, error: EngineError) -> None:
        """End those that run with `error`, and whatever is sent later; the first one stays."""
        self._end = self._end or error
        for running in self._running:
            running.fail(self._end)

    async def _outputs(
        self, token_ids: Sequence[int], asked: dict[str, Any]
    ) -> AsyncGenerator[Output, None]:
        """What the engine gives for one request, until it is finished or this generator closed."""
        if self._end:
            raise self._end
        ENGINE_REQUESTS.inc()
        running = self._send(token_ids, asked)
        self._running.add(running)
        try:
            while True:
                output = await running.next()
                if output.meta["finish_reason"]:
                    ENGINE_PASSES.inc(passes(output.meta))
                    ACCEPTED_DRAFT_TOKENS.inc(output.meta.get("spec_num_correct_drafts") or 0)
                yield output
                if output.meta["finish_reason"]:
                    return
        finally:
            running.abandon()
            self._running.discard(running)

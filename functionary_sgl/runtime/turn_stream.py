"""An engine that answers a turn's questions out of one request by the turn's grammar.

The interpreter stays as it is, and what it asks is what counts: where the stream of the one request
does not have the answer, such as behind a token that reaches over the end of a value, it is given
up, and the rest of the turn is asked for one by one.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from functionary_sgl.engines.base import Answering, Chunk, Constraint, Request, Scores, TurnContext
from functionary_sgl.runtime.turn import Turn
from functionary_sgl.runtime.turn_grammar import TurnGrammar
from functionary_sgl.runtime.value import ValueMatcher
from functionary_sgl.tokenizer import Tokenizer


class TurnStream:
    """For one turn, with `engine` behind it. Close it at the turn's end."""

    def __init__(
        self, engine: Answering, grammar: TurnGrammar, turn: Turn, tokenizer: Tokenizer
    ) -> None:
        self._engine = engine
        self._grammar = grammar
        self._turn = turn
        self._tokenizer = tokenizer
        self._start = [*turn.prompt.token_ids, *grammar.opening]
        self._budget = turn.max_tokens + grammar.written - len(grammar.opening)
        self._ids: list[int] = []
        self._told = Chunk(())
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._given_up = False

    async def score(
        self, token_ids: Sequence[int], candidates: Sequence[int], turn: TurnContext
    ) -> Scores:
        """As `Answering.score`; what was drawn has all of the probability."""
        place = await self._place(token_ids, turn)
        if place is not None and await self._has(place) and self._ids[place] in candidates:
            drawn = self._ids[place]
            logprobs = [0.0 if one == drawn else -math.inf for one in candidates]
            return Scores(logprobs, self._told.cached_tokens, self._told.image_tokens)
        self.close()
        return await self._engine.score(token_ids, candidates, turn)

    async def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """As `Answering.generate`; of the stream, a JSON value."""
        place = None
        if request.constraint is not None and request.constraint.kind == "json_schema":
            place = await self._place(request.token_ids, request.turn)
        if place is None or not await self._has(place):
            self.close()
            async with aclosing(self._engine.generate(request)) as chunks:
                async for chunk in chunks:
                    yield chunk
            return
        matcher, decoder = ValueMatcher(()), self._tokenizer.stream()
        while not matcher.ended and await self._has(place):
            begun = place
            while place < len(self._ids) and not matcher.ended:
                matcher.feed(decoder.step(self._ids[place]))
                place += 1
            told = self._told.cached_tokens, self._told.image_tokens
            yield Chunk(self._ids[begun:place], "stop" if matcher.ended else None, *told)
        if not matcher.ended:
            yield Chunk((), self._told.finish_reason)

    def close(self) -> None:
        """Ask for no more of the turn by its grammar."""
        self._given_up = True
        if self._task is not None:
            self._task.cancel()

    async def _place(self, token_ids: Sequence[int], turn: TurnContext) -> int | None:
        """Where in the stream what follows `token_ids` begins; None if it went another way."""
        if self._given_up or self._budget < 1 or list(token_ids[: len(self._start)]) != self._start:
            return None
        if self._task is None:
            self._task = asyncio.create_task(self._pump(turn))
            # What goes wrong in it concerns nobody who has given it up.
            self._task.add_done_callback(lambda task: task.cancelled() or task.exception())
        held = token_ids[len(self._start) :]
        if held and not await self._has(len(held) - 1):
            return None
        return len(held) if self._ids[: len(held)] == list(held) else None

    async def _has(self, place: int) -> bool:
        """Whether the stream has an id at `place`, which may yet come."""
        assert self._task is not None
        while len(self._ids) <= place and not self._task.done():
            await self._arrived.wait()
            self._arrived.clear()
        if self._task.done() and not self._task.cancelled():
            self._task.result()
        return len(self._ids) > place

    async def _pump(self, turn: TurnContext) -> None:
        request = Request(
            token_ids=self._start,
            max_tokens=self._budget,
            turn=turn,
            sampling=self._turn.sampling,
            constraint=Constraint("lark", self._grammar.source),
            stop_token_ids=self._turn.stop_token_ids,
            control_ids=self._grammar.control_ids,
        )
        try:
            async with aclosing(self._engine.generate(request)) as chunks:
                async for chunk in chunks:
                    self._ids += chunk.token_ids
                    self._told = chunk
                    self._arrived.set()
        finally:
            self._arrived.set()

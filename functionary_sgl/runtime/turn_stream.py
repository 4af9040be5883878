"""An engine that answers a turn's questions out of one request by the turn's grammar.

The interpreter stays as it is, and what it asks is what counts: where the stream of the one request
does not have the answer, such as behind a token that reaches over the end of a value, it is given
up, and the next questions are asked one by one.
"""

import math
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Literal, NamedTuple

from functionary_sgl.engines.base import Answering, Chunk, Constraint, Request, Scores, TurnContext
from functionary_sgl.runtime.payloads import end_of
from functionary_sgl.runtime.turn import Turn
from functionary_sgl.runtime.turn_grammar import TurnGrammar
from functionary_sgl.runtime.turn_request import TurnRequest
from functionary_sgl.tokenizer import Tokenizer


class _Place(NamedTuple):
    """Where in what came of a request an answer begins."""

    request: TurnRequest
    at: int


class TurnStream:
    """For one turn, with `engine` behind it. Close it at the turn's end."""

    def __init__(
        self, engine: Answering, grammar: TurnGrammar, turn: Turn, tokenizer: Tokenizer
    ) -> None:
        self._engine = engine
        self._grammar = grammar
        self._turn = turn
        self._tokenizer = tokenizer
        self._request: TurnRequest | None = None
        self._has_values = False
        """Whether the request under way has answered with a value: before, it has no text."""
        self._is_first = True
        self._text_begins: int | None = None
        """Where the last text began, if what is asked now is the first behind it."""

    async def score(
        self, token_ids: Sequence[int], candidates: Sequence[int], turn: TurnContext
    ) -> Scores:
        """As `Answering.score`; what was drawn has all of the probability."""
        place = await self._place(token_ids, turn)
        if place is not None and (drawn := place.request.ids[place.at]) in candidates:
            logprobs = [0.0 if one == drawn else -math.inf for one in candidates]
            told = place.request.told
            return Scores(logprobs, told.cached_tokens, told.image_tokens)
        self.close()
        return await self._engine.score(token_ids, candidates, turn)

    async def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """As `Answering.generate`."""
        place = await self._place(request.token_ids, request.turn)
        if request.constraint is None:
            self._text_begins = len(request.token_ids)
        if place is not None and self._answers(request, place):
            self._has_values |= _is_value(request.constraint)
            answer = self._told(place, self._end(request.constraint))
        else:
            self.close()
            answer = self._engine.generate(request)
        async with aclosing(answer) as chunks:
            async for chunk in chunks:
                yield chunk

    def close(self) -> None:
        """Ask for no more of what was begun."""
        if self._request is not None:
            self._request.close()
            self._request = None

    async def _place(self, token_ids: Sequence[int], turn: TurnContext) -> _Place | None:
        """Where what follows `token_ids` is, in the request under way or one that begins here."""
        if self._request is None:
            self._request = self._begun(token_ids, turn)
            self._has_values = False
        self._is_first, self._text_begins = False, None
        if self._request is None:
            return None
        at = await self._request.place(token_ids)
        if at is None or not await self._request.has(at):
            return None
        return _Place(self._request, at)

    def _begun(self, token_ids: Sequence[int], turn: TurnContext) -> TurnRequest | None:
        """The request by the grammar that begins here; None if none does."""
        prompt = len(self._turn.prompt.token_ids)
        for start in self._grammar.starts:
            first = len(token_ids) - len(start.opening) if start.behind_text else prompt
            least = self._text_begins if start.behind_text else prompt if self._is_first else None
            end = first + len(start.opening)
            if least is None or first < least or tuple(token_ids[first:end]) != start.opening:
                continue
            budget = self._turn.max_tokens + prompt + self._grammar.written - end
            if budget > 0:
                request = Request(
                    token_ids=token_ids[:end],
                    max_tokens=budget,
                    turn=turn,
                    sampling=self._turn.sampling,
                    constraint=Constraint("lark", start.source),
                    stop_token_ids=self._turn.stop_token_ids,
                    control_ids=self._grammar.control_ids,
                )
                return TurnRequest(self._engine, request)
        return None

    def _answers(self, request: Request, place: _Place) -> bool:
        """Whether what is at `place` answers `request`, and is not what an engine draws behind the
        end of a grammar: an end of the turn. A text has to end with marks that are in the grammar,
        and comes behind a value."""
        if request.constraint is not None:
            return place.request.ids[place.at] not in self._turn.stop_token_ids
        known = {*self._turn.stop_token_ids, *self._grammar.control_ids}
        is_plain = known.issuperset(request.stop_token_ids) and not request.min_tokens
        return is_plain and self._has_values

    def _end(self, constraint: Constraint | None) -> Callable[[int], int | None]:
        """Told one id after the other, tells how many ids of the last, 0 or 1, still belong to what
        is asked for; None as long as it is not over. The interpreter itself finds a text's end."""
        if constraint is None:
            return lambda token_id: None
        if not _is_value(constraint):
            ends = frozenset(self._grammar.control_ids)
            return lambda token_id: 0 if token_id in ends else None
        assert constraint is not None
        matcher, decoder = end_of(constraint), self._tokenizer.stream()
        characters = {} if constraint.marks is None else constraint.marks.characters

        def end(token_id: int) -> int | None:
            matcher.feed(characters.get(token_id) or decoder.step(token_id))
            return 1 if matcher.ended else None

        return end

    async def _told(
        self, place: _Place, end: Callable[[int], int | None]
    ) -> AsyncGenerator[Chunk, None]:
        """The ids from `place` on, to the end."""
        request, at = place
        last: int | None = None
        while last is None and await request.has(at):
            begun = at
            while last is None and at < len(request.ids):
                last = end(request.ids[at])
                at += 1 if last is None else last
            told = request.told
            reason: Literal["stop"] | None = None if last is None else "stop"
            yield Chunk(request.ids[begun:at], reason, told.cached_tokens, told.image_tokens)
        if last is None:
            yield Chunk((), request.told.finish_reason)


def _is_value(constraint: Constraint | None) -> bool:
    return constraint is not None and constraint.kind == "json_schema"

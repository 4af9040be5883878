"""An engine that is watched: what it is asked and what it answers, for whoever shows a turn."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from functionary_sgl.engines.base import (
    Answering,
    Chunk,
    Constraint,
    Logprob,
    Request,
    Scores,
    TurnContext,
)


@dataclass(slots=True)
class Drawing:
    """A generation behind the ids `before`: the ids that came of it and, if they were asked for,
    their log-probabilities."""

    before: Sequence[int]
    constraint: Constraint | None
    ids: list[int] = field(default_factory=list)
    logprobs: list[Logprob] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Scoring:
    """The `candidates` for the next id after `before`, and how likely each was said to be."""

    before: Sequence[int]
    candidates: Sequence[int]
    logprobs: Sequence[float]


class Watched:
    """`engine`, and in `asked` what it was asked, in order."""

    def __init__(self, engine: Answering, asked: list[Drawing | Scoring]) -> None:
        self._engine = engine
        self._asked = asked

    async def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """As `Answering.generate`."""
        drawing = Drawing(request.token_ids, request.constraint)
        self._asked.append(drawing)
        async with aclosing(self._engine.generate(request)) as chunks:
            async for chunk in chunks:
                drawing.ids += chunk.token_ids
                drawing.logprobs += chunk.logprobs
                yield chunk

    async def score(
        self, token_ids: Sequence[int], candidates: Sequence[int], turn: TurnContext
    ) -> Scores:
        """As `Answering.score`."""
        scores = await self._engine.score(token_ids, candidates, turn)
        self._asked.append(Scoring(token_ids, candidates, scores.logprobs))
        return scores

"""A prefix cache for engines that have none, as SGLang's is with pages of one token."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from functionary_sgl.engines.base import Chunk, Engine, Request, Scores, TurnContext


class CachingEngine:
    """`engine`, telling how many ids of a request were in requests before it and their answers:
    with the same adapter and salt, and without the last id, which is read with what follows it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._read: dict[tuple[str | None, str], list[list[int]]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    async def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        cached, ids = self._cached(request.token_ids, request.turn), list(request.token_ids)
        try:
            async with aclosing(self._engine.generate(request)) as chunks:
                async for chunk in chunks:
                    ids += chunk.token_ids
                    yield replace(chunk, cached_tokens=cached)
        finally:
            self._of(request.turn).append(ids[:-1])

    async def score(
        self, token_ids: Sequence[int], candidates: Sequence[int], turn: TurnContext
    ) -> Scores:
        cached = self._cached(token_ids, turn)
        scores = await self._engine.score(token_ids, candidates, turn)
        self._of(turn).append(list(token_ids))
        return replace(scores, cached_tokens=cached)

    def _of(self, turn: TurnContext) -> list[list[int]]:
        return self._read.setdefault((turn.adapter, turn.cache_salt), [])

    def _cached(self, ids: Sequence[int], turn: TurnContext) -> int:
        """One id is always read anew: of the last, the engine wants the logits."""
        known = max((_common(read, ids) for read in self._of(turn)), default=0)
        return min(known, len(ids) - 1)


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))

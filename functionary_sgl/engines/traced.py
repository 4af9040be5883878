"""An engine each of whose requests has a span."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from functionary_sgl import tracing
from functionary_sgl.engines.base import Answering, Chunk, Request, Scores, TurnContext


class Traced:
    """`engine`, with spans in those of the request that it is asked for."""

    def __init__(self, engine: Answering) -> None:
        self._engine = engine

    async def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """As `Answering.generate`; the span has how much was read and written, and why it ended."""
        constraint = "none" if request.constraint is None else request.constraint.kind
        span = tracing.begun("generate", _read(request.token_ids) | {"constraint": constraint})
        count, cached, finish = 0, 0, "given up"
        try:
            async with aclosing(self._engine.generate(request)) as chunks:
                async for chunk in chunks:
                    if not count:
                        span.add_event("first tokens")
                    count += len(chunk.token_ids)
                    cached = chunk.cached_tokens or cached
                    finish = chunk.finish_reason or finish
                    yield chunk
        finally:
            span.set_attributes({"output_tokens": count, "cached_tokens": cached})
            span.set_attribute("finish", finish)
            span.end()

    async def score(
        self, token_ids: Sequence[int], candidates: Sequence[int], turn: TurnContext
    ) -> Scores:
        """As `Answering.score`."""
        span = tracing.begun("score", _read(token_ids) | {"candidates": len(candidates)})
        try:
            scores = await self._engine.score(token_ids, candidates, turn)
            span.set_attribute("cached_tokens", scores.cached_tokens)
            return scores
        finally:
            span.end()


def _read(token_ids: Sequence[int]) -> dict[str, str | int]:
    return {"input_tokens": len(token_ids)}

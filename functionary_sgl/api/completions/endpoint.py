"""POST /v1/completions."""

import time
import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from functionary_sgl.admission import Place
from functionary_sgl.api.beginnings import received, streamed
from functionary_sgl.api.callers import caller
from functionary_sgl.api.chunk_streams import told_in_chunks, usage_of
from functionary_sgl.api.completions.chunks import Fold, TextChunks
from functionary_sgl.api.completions.requests import DEFAULT_TOKENS, CompletionRequest, check
from functionary_sgl.api.deadline import within
from functionary_sgl.api.described import reference, takes
from functionary_sgl.api.merge import merged
from functionary_sgl.api.places import place_of
from functionary_sgl.api.salt import cache_salt
from functionary_sgl.api.sampling import sampling
from functionary_sgl.api.whole import answered
from functionary_sgl.caller import Caller
from functionary_sgl.checked_turn import CheckedTurn
from functionary_sgl.model import Model
from functionary_sgl.text_turn import prepare_text

router = APIRouter()


@router.post("/v1/completions", openapi_extra=takes(reference(CompletionRequest)))
async def create(request: Request) -> Response:
    """Go on from a text, at once or as a stream of server-sent events."""
    model, until, asked = await received(request, _read)
    async with AsyncExitStack() as held:
        turns = len(asked.prompts()) * (asked.n or 1)
        place = await place_of(model, caller(request), turns, held)
        making = within(until, _Answer.to(asked, model, caller(request), place))
        if asked.stream:
            tell = partial(told_in_chunks, until=until, options=asked.stream_options)
            return await streamed(request, making, until, held, tell)
        return await answered(request, making, until, Fold)


def _read(body: bytes, model: Model) -> CompletionRequest:
    """What is asked; RequestError for all that can be seen to be wrong with it."""
    asked = CompletionRequest.from_json(body)
    model.adapter(asked.model)
    check(asked)
    return asked


class _Answer:
    """One request's answer, from turns that run side by side: `n` for each prompt."""

    def __init__(
        self, model: Model, asked: CompletionRequest, turns: Sequence[CheckedTurn], place: Place
    ) -> None:
        self.headers: Mapping[str, str] = {}
        self._model = model
        self._place = place
        self._each = asked.n or 1
        self._turns = [turn.numbered(index) for turn in turns for index in range(self._each)]
        self._echo = asked.echo
        self._tells = asked.logprobs is not None
        self._head = {
            "id": f"cmpl-{uuid.uuid4().hex}",
            "object": "text_completion",
            "created": int(time.time()),
            "model": asked.model or model.names[0],
        }

    @classmethod
    async def to(
        cls, asked: CompletionRequest, model: Model, caller: Caller, place: Place
    ) -> "_Answer":
        """Raises RequestError for all that is wrong with the request."""
        drawing = sampling(asked, model.defaults)
        adapter, salt = model.adapter(asked.model), cache_salt(caller, asked.cache_salt)
        most = asked.max_tokens or DEFAULT_TOKENS
        turns = [
            await prepare_text(model, text, path, drawing, most, asked.logprobs, adapter, salt)
            for text, path in asked.prompts()
        ]
        return cls(model, asked, turns, place)

    async def chunks(self) -> AsyncGenerator[dict[str, Any], None]:
        """The answer in chunks, the usage last, when its turns may run."""
        choices = [
            TextChunks(index, str(turn.prompt) if self._echo else "", tells=self._tells)
            for index, turn in enumerate(self._turns)
        ]
        running = [
            self._choice(choice, turn) for choice, turn in zip(choices, self._turns, strict=True)
        ]
        everything = running[0] if len(running) == 1 else merged(running)
        await self._place.run()
        async with aclosing(everything) as entries:
            async for entry in entries:
                yield {**self._head, "choices": [entry]}
        usages = [choice.usage for choice in choices if choice.usage is not None]
        groups = (usages[at : at + self._each] for at in range(0, len(usages), self._each))
        yield {**self._head, "choices": [], "usage": usage_of(groups)}

    async def _choice(
        self, choice: TextChunks, turn: CheckedTurn
    ) -> AsyncGenerator[dict[str, Any], None]:
        async with aclosing(self._model.run(None, turn)) as events:
            async for happened in events:
                for entry in choice.entries(happened):
                    yield entry

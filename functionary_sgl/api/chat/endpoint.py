"""POST /v1/chat/completions."""

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from functionary_sgl.admission import Place
from functionary_sgl.api import unenforced
from functionary_sgl.api.beginnings import received, streamed
from functionary_sgl.api.callers import caller
from functionary_sgl.api.chat import intake
from functionary_sgl.api.chat.chunks import ChoiceChunks, Head
from functionary_sgl.api.chat.fold import Fold
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.api.chat.turn_view import TurnView
from functionary_sgl.api.chunk_streams import told_in_chunks
from functionary_sgl.api.deadline import within
from functionary_sgl.api.described import reference, takes
from functionary_sgl.api.merge import merged
from functionary_sgl.api.places import place_of
from functionary_sgl.api.salt import cache_salt
from functionary_sgl.api.whole import answered
from functionary_sgl.caller import Caller
from functionary_sgl.chat.conversation import Conversation
from functionary_sgl.checked_turn import CheckedTurn
from functionary_sgl.model import Model
from functionary_sgl.runtime.events import Ended

router = APIRouter()


@router.post("/v1/chat/completions", openapi_extra=takes(reference(ChatRequest)))
async def create(request: Request) -> Response:
    """Answer a conversation, at once or as a stream of server-sent events."""
    model, until, (asked, conversation) = await received(request, _read)
    async with AsyncExitStack() as held:
        place = await place_of(model, caller(request), asked.n or 1, held)
        making = within(until, _Answer.to(asked, conversation, model, caller(request), place))
        if asked.stream:
            tell = partial(told_in_chunks, until=until, options=asked.stream_options)
            return await streamed(request, making, until, held, tell)
        return await answered(request, making, until, Fold)


def _read(body: bytes, model: Model) -> tuple[ChatRequest, Conversation]:
    """What is asked; RequestError for all that can be seen to be wrong with it."""
    asked = ChatRequest.from_json(body)
    model.adapter(asked.model)
    intake.check(asked)
    return asked, intake.conversation(asked)


class _Answer:
    """One request's answer, from one or several turns that run side by side."""

    def __init__(
        self,
        model: Model,
        asked: ChatRequest,
        conversation: Conversation,
        turn: CheckedTurn,
        place: Place,
    ) -> None:
        self._model = model
        self._place = place
        self._conversation = conversation
        self._turns = [turn.numbered(index) for index in range(asked.n or 1)]
        self.headers = unenforced.header(turn.unenforced)
        self._legacy = asked.functions is not None
        self._view = TurnView(model, self._turns[0]) if asked.return_turn else None
        self._head = Head(
            f"chatcmpl-{uuid.uuid4().hex}", int(time.time()), asked.model or model.names[0]
        )

    @classmethod
    async def to(
        cls,
        asked: ChatRequest,
        conversation: Conversation,
        model: Model,
        caller: Caller,
        place: Place,
    ) -> "_Answer":
        """Raises RequestError for all that is wrong with the request."""
        adapter = model.adapter(asked.model)
        sampling = intake.sampling(asked, model.defaults)
        max_tokens = asked.max_completion_tokens or asked.max_tokens
        top_logprobs = (asked.top_logprobs or 0) if asked.logprobs else None
        salt = cache_salt(caller, asked.cache_salt)
        turn = await model.prepare(conversation, sampling, max_tokens, top_logprobs, adapter, salt)
        return cls(model, asked, conversation, turn, place)

    async def chunks(self) -> AsyncGenerator[dict[str, Any], None]:
        """The answer in chunks, the usage last, when its turns may run."""
        choices = [
            ChoiceChunks(index, self._conversation.choice, self._legacy)
            for index in range(len(self._turns))
        ]
        running = [
            self._choice(choice, turn) for choice, turn in zip(choices, self._turns, strict=True)
        ]
        # A single stream needs no task of its own.
        everything = running[0] if len(running) == 1 else merged(running)
        await self._place.run()
        async with aclosing(everything) as entries:
            async for entry in entries:
                yield self._head.chunk([entry])
        yield self._head.usage_chunk([choice.usage for choice in choices if choice.usage])

    async def _choice(
        self, choice: ChoiceChunks, turn: CheckedTurn
    ) -> AsyncGenerator[dict[str, Any], None]:
        view = self._view
        watched = None if view is None else view.watched
        async with aclosing(self._model.run(self._conversation, turn, watched)) as events:
            async for happened in events:
                if view is not None:
                    view.add(happened)
                for entry in choice.entries(happened):
                    is_last = entry["finish_reason"] is not None
                    if view is not None and is_last and isinstance(happened, Ended):
                        entry["turn"] = await asyncio.to_thread(view.told, happened)
                    yield entry

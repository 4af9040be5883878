"""POST /v1/responses."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import AsyncExitStack, aclosing
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from functionary_sgl.admission import Place
from functionary_sgl.api import unenforced
from functionary_sgl.api.answers import JSONResponse, while_client_waits
from functionary_sgl.api.beginnings import begun
from functionary_sgl.api.bodies import parsed
from functionary_sgl.api.callers import caller
from functionary_sgl.api.deadline import deadline, within
from functionary_sgl.api.errors import error_body, note
from functionary_sgl.api.events import EventStreamResponse, event
from functionary_sgl.api.places import place_of
from functionary_sgl.api.responses import history, intake
from functionary_sgl.api.responses.events import ResponseEvents
from functionary_sgl.api.responses.head import head
from functionary_sgl.api.responses.keeping import Keeper
from functionary_sgl.api.responses.requests import ResponsesRequest
from functionary_sgl.api.responses.store import ResponseStore
from functionary_sgl.api.responses.truncation import fitting
from functionary_sgl.api.salt import cache_salt
from functionary_sgl.api.sampling import sampling
from functionary_sgl.caller import Caller
from functionary_sgl.chat.conversation import Conversation
from functionary_sgl.checked_turn import CheckedTurn
from functionary_sgl.errors import ServerBusy
from functionary_sgl.model import Model

router = APIRouter()

REQUEST_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/ResponsesRequest"}}
        },
    }
}


@router.post("/v1/responses", openapi_extra=REQUEST_BODY)
async def create(request: Request) -> Response:
    """Answer an input, at once or as a stream of server-sent events."""
    model: Model = request.app.state.model
    model.admission.check_open()
    until = deadline(request.headers, request.app.state.request_seconds)
    asked, by_itself = await within(until, parsed(request, partial(_read, model=model)))
    conversation, keeper = await within(until, _known(request, asked, by_itself))
    async with AsyncExitStack() as held:
        place = await place_of(model, caller(request), 1, held)
        answering = _Answer.to(asked, conversation, model, caller(request), place, keeper)
        making = within(until, answering)
        if asked.stream:
            return await _stream(request, making, until, held)
        whole = within(until, _whole(making))
        answer, folded = await while_client_waits(request.receive, whole)
        return JSONResponse(folded, headers=answer.headers)


def _read(body: bytes, model: Model) -> tuple[ResponsesRequest, Conversation | None]:
    """What is asked, None where the store has a part of it; RequestError for all that can be seen
    to be wrong with it by itself."""
    asked = ResponsesRequest.from_json(body)
    model.adapter(asked.model)
    intake.check(asked)
    if history.refers(asked):
        return asked, None
    return asked, intake.conversation(asked, asked.items())


async def _known(
    request: Request, asked: ResponsesRequest, by_itself: Conversation | None
) -> tuple[Conversation, Keeper]:
    """The conversation with what the store has of it, and what will keep the answer."""
    store: ResponseStore = request.app.state.store
    tenant, size = caller(request).tenant, request.app.state.max_body_bytes
    kept = None if asked.store is False else store
    if by_itself is not None:
        return by_itself, Keeper(kept, tenant, asked.items())

    def read() -> tuple[Conversation, Keeper]:
        earlier = history.earlier(asked, store, tenant, size)
        given = history.given(asked, store, tenant)
        return intake.conversation(asked, [*earlier, *given]), Keeper(kept, tenant, given)

    return await asyncio.to_thread(read)


async def _whole(making: Awaitable["_Answer"]) -> tuple["_Answer", dict[str, Any]]:
    answer = await making
    async with aclosing(answer.chunks()) as chunks:
        async for chunk in chunks:
            last = chunk
    return answer, last["response"]


async def _stream(
    request: Request,
    making: Awaitable["_Answer"],
    until: float | None,
    held: AsyncExitStack,
) -> Response:
    """An answer as it comes, until a deadline, with what is `held` for it."""
    answer, chunks, first = await while_client_waits(request.receive, begun(making, until, held))
    if first.done():
        first.result()
    told = _told(answer, first, chunks, until)
    quiet = not first.done()
    return EventStreamResponse(told, held.pop_all(), answer.headers, quiet)


async def _told(
    answer: "_Answer",
    first: asyncio.Future[dict[str, Any]],
    chunks: AsyncGenerator[dict[str, Any], None],
    until: float | None,
) -> AsyncGenerator[bytes, None]:
    """Server-sent events, each named as what it has says. No other ends a stream of these."""
    try:
        chunk: dict[str, Any] | None = await first
        while chunk is not None:
            yield event(chunk, chunk["type"])
            chunk = await within(until, anext(chunks, None))
    except Exception as error:
        note(error)
        code = "rate_limit_exceeded" if isinstance(error, ServerBusy) else "server_error"
        for chunk in answer.events.failed(code, error_body(error)["error"]["message"]):
            yield event(chunk, chunk["type"])


class _Answer:
    """One request's answer, by a turn."""

    def __init__(
        self,
        model: Model,
        asked: ResponsesRequest,
        conversation: Conversation,
        turn: CheckedTurn,
        place: Place,
        keeper: Keeper,
    ) -> None:
        self._model = model
        self._place = place
        self._keeper = keeper
        self._conversation = conversation
        self._turn = turn
        self.headers = unenforced.header(turn.unenforced)
        name = asked.model or model.names[0]
        self.events = ResponseEvents(head(asked, conversation, turn.sampling, name))

    @classmethod
    async def to(
        cls,
        asked: ResponsesRequest,
        conversation: Conversation,
        model: Model,
        caller: Caller,
        place: Place,
        keeper: Keeper,
    ) -> "_Answer":
        """Raises RequestError for all that is wrong with the request."""
        drawing = sampling(asked, model.defaults)
        salt = cache_salt(caller, asked.cache_salt)

        async def prepare(conversation: Conversation) -> CheckedTurn:
            return await model.prepare(
                conversation,
                drawing,
                asked.max_output_tokens,
                intake.top_logprobs(asked),
                model.adapter(asked.model),
                salt,
            )

        if asked.truncation == "auto":
            conversation, turn = await fitting(conversation, prepare)
        else:
            turn = await prepare(conversation)
        return cls(model, asked, conversation, turn, place, keeper)

    async def chunks(self) -> AsyncGenerator[dict[str, Any], None]:
        """The answer in events, the whole response last, when its turn may run."""
        await self._place.run()
        async with aclosing(self._model.run(self._conversation, self._turn)) as happened:
            async for each in happened:
                for told in self.events.of(each):
                    if told.get("response", {}).get("usage") is not None:
                        # Before the end is told: the next request may come at once.
                        await self._keeper.keep(told["response"])
                    yield told

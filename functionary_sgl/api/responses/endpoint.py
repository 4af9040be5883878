"""POST /v1/responses."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from functools import partial

from fastapi import APIRouter, Request
from starlette.responses import Response

from functionary_sgl.api.answers import JSONResponse, while_client_waits
from functionary_sgl.api.beginnings import Chunks, First, received, streamed
from functionary_sgl.api.callers import caller
from functionary_sgl.api.deadline import within
from functionary_sgl.api.described import reference, takes
from functionary_sgl.api.places import place_of
from functionary_sgl.api.responses import history, intake
from functionary_sgl.api.responses.answer import Answer
from functionary_sgl.api.responses.background import Jobs
from functionary_sgl.api.responses.fold import Last
from functionary_sgl.api.responses.keeping import Keeper
from functionary_sgl.api.responses.requests import ResponsesRequest
from functionary_sgl.api.responses.store import ResponseStore
from functionary_sgl.api.typed_streams import told_by_type
from functionary_sgl.api.whole import answered
from functionary_sgl.chat.conversation import Conversation
from functionary_sgl.model import Model

router = APIRouter()


@router.post("/v1/responses", openapi_extra=takes(reference(ResponsesRequest)))
async def create(request: Request) -> Response:
    """Answer an input, at once or as a stream of server-sent events."""
    model, until, (asked, by_itself) = await received(request, _read)
    conversation, keeper = await within(until, _known(request, asked, by_itself))
    async with AsyncExitStack() as held:
        place = await place_of(model, caller(request), 1, held)
        answering = Answer.to(asked, conversation, model, caller(request), place, keeper)
        making = within(until, answering)
        if asked.stream:
            return await streamed(request, making, until, held, partial(_told, until=until))
        if asked.background:
            jobs: Jobs = request.app.state.jobs
            started = jobs.start(caller(request).tenant, making, until, held)
            answer, begun_with = await while_client_waits(request.receive, started)
            return JSONResponse(begun_with, headers=answer.headers)
        return await answered(request, making, until, Last)


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

    if asked.previous_response_id is not None:
        history.check_ended(request.app.state.jobs.get(tenant, asked.previous_response_id))

    def read() -> tuple[Conversation, Keeper]:
        earlier = history.earlier(asked, store, tenant, size)
        given = history.given(asked, store, tenant)
        return intake.conversation(asked, [*earlier, *given]), Keeper(kept, tenant, given)

    return await asyncio.to_thread(read)


def _told(
    answer: Answer, first: First, chunks: Chunks, until: float | None
) -> AsyncGenerator[bytes, None]:
    return told_by_type(first, chunks, until, answer.failed)

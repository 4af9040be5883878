"""POST /v1/messages and /v1/messages/count_tokens."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from functools import partial
from typing import TypeVar

from fastapi import APIRouter, Request
from starlette.responses import Response

from functionary_sgl.api.answers import JSONResponse, while_client_waits
from functionary_sgl.api.beginnings import Chunk, Chunks, First, received, streamed
from functionary_sgl.api.callers import caller
from functionary_sgl.api.deadline import within
from functionary_sgl.api.described import reference, takes
from functionary_sgl.api.errors import note
from functionary_sgl.api.messages import intake
from functionary_sgl.api.messages.answer import Answer, prepared
from functionary_sgl.api.messages.errors import error_body
from functionary_sgl.api.messages.fold import Fold
from functionary_sgl.api.messages.requests import (
    CountTokensRequest,
    MessagesRequest,
    PromptFields,
)
from functionary_sgl.api.places import place_of
from functionary_sgl.api.typed_streams import told_by_type
from functionary_sgl.api.whole import answered
from functionary_sgl.chat.conversation import Conversation
from functionary_sgl.errors import RequestError
from functionary_sgl.model import Model

router = APIRouter()

VERSIONS = ("2023-06-01", "2026-10-21")
"""Of Anthropic's API: the later one takes less, and answers alike."""

AskedT = TypeVar("AskedT", bound=PromptFields)


@router.post("/v1/messages", openapi_extra=takes(reference(MessagesRequest)))
async def create(request: Request) -> Response:
    """Answer a conversation, at once or as a stream of server-sent events."""
    _check_version(request)
    model, until, (asked, conversation) = await received(request, partial(_read, MessagesRequest))
    async with AsyncExitStack() as held:
        place = await place_of(model, caller(request), 1, held)
        making = within(until, Answer.to(asked, conversation, model, caller(request), place))
        if asked.stream:
            return await streamed(request, making, until, held, partial(_told, until=until))
        return await answered(request, making, until, Fold)


@router.post("/v1/messages/count_tokens", openapi_extra=takes(reference(CountTokensRequest)))
async def count_tokens(request: Request) -> JSONResponse:
    """How many tokens the model reads before it answers. The engine is not asked, but all that a
    turn is prepared for is."""
    _check_version(request)
    read = partial(_read, CountTokensRequest)
    model, until, (asked, conversation) = await received(request, read)
    async with AsyncExitStack() as held:
        await place_of(model, caller(request), 1, held)
        preparing = within(until, prepared(asked, conversation, model, caller(request), 1))
        turn = await while_client_waits(request.receive, preparing)
    return JSONResponse({"input_tokens": turn.taken})


def _check_version(request: Request) -> None:
    """RequestError for a version of the API that is not known; who says nothing means any."""
    given = request.headers.get("anthropic-version")
    if given is not None and given not in VERSIONS:
        raise RequestError(
            f"'anthropic-version: {given[:64]}' is not served here; send '{VERSIONS[-1]}'.",
            param="anthropic-version",
        )


def _read(kind: type[AskedT], body: bytes, model: Model) -> tuple[AskedT, Conversation]:
    """What is asked; RequestError for all that can be seen to be wrong with it."""
    asked = kind.from_json(body)
    model.adapter(asked.model)
    intake.check(asked)
    return asked, intake.conversation(asked)


def _told(
    _: Answer, first: First, chunks: Chunks, until: float | None
) -> AsyncGenerator[bytes, None]:
    return told_by_type(first, chunks, until, _failed)


def _failed(error: Exception) -> list[Chunk]:
    """The last event of an answer that cannot go on for this `error`, which is noted."""
    note(error)
    return [error_body(error)]

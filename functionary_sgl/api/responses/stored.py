"""What is kept, by its id: GET and DELETE /v1/responses/{id}, and what is below it."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request

from functionary_sgl.api.answers import JSONResponse
from functionary_sgl.api.callers import caller
from functionary_sgl.api.limits import MAX_ITEMS
from functionary_sgl.api.responses.background import Jobs
from functionary_sgl.api.responses.store import ResponseStore
from functionary_sgl.errors import BrokenChain, NotFound, RequestError

router = APIRouter()

Told = dict[str, Any]

LOST: Told = {
    "status": "failed",
    "error": {"code": "server_error", "message": "The server ended before this answer did."},
}


@router.get("/v1/responses/{response_id}")
async def retrieve(request: Request, response_id: str) -> JSONResponse:
    """A response that is kept, as it is now."""
    for name, harmless in (("stream", ("false", "False", "0")), ("starting_after", ())):
        if request.query_params.get(name, "false") not in ("false", *harmless):
            raise RequestError(
                f"'{name}' cannot be honoured here: responses are streamed when they are made; "
                "leave it out.",
                param=name,
            )
    return JSONResponse(await _found(request, response_id))


@router.delete("/v1/responses/{response_id}")
async def delete(request: Request, response_id: str) -> JSONResponse:
    """Forget a response, and make no more of it. What goes on from it cannot be gone on from any
    more."""
    tenant = caller(request).tenant
    await _jobs(request).cancel(tenant, response_id)
    if not await asyncio.to_thread(_store(request).delete, tenant, response_id):
        raise _not_found(response_id)
    return JSONResponse({"id": response_id, "object": "response", "deleted": True})


@router.post("/v1/responses/{response_id}/cancel")
async def cancel(request: Request, response_id: str) -> JSONResponse:
    """Make no more of a response that is made in the background; one that has ended stays as it
    is."""
    await _jobs(request).cancel(caller(request).tenant, response_id)
    found = await _found(request, response_id)
    if not found["background"]:
        raise RequestError(
            "Only what is made in the background ('background') can be cancelled; another answer "
            "ends when its connection is closed.",
            param="response_id",
        )
    return JSONResponse(found)


async def _found(request: Request, id: str) -> Told:
    """The response of this `id`; NotFound where there is none."""
    tenant = caller(request).tenant
    if (running := _jobs(request).get(tenant, id)) is not None:
        return running
    found = await asyncio.to_thread(_store(request).get, tenant, id)
    if found is None:
        raise _not_found(id)
    if found["status"] == "in_progress":
        # It ended meanwhile, or its server did.
        ended = await asyncio.to_thread(_store(request).get, tenant, id)
        found = ended if ended and ended["status"] != "in_progress" else {**found, **LOST}
    return found


@router.get("/v1/responses/{response_id}/input_items")
async def input_items(
    request: Request,
    response_id: str,
    limit: str = "20",
    order: str = "desc",
    after: str | None = None,
) -> JSONResponse:
    """What a response was made of, what it goes on from included: from the last on, or from the
    first (`order=asc`); `limit` of them, those behind the item `after`."""
    most, backwards = _limit(limit), _backwards(order)
    tenant, size = caller(request).tenant, request.app.state.max_body_bytes

    def read() -> list[Told]:
        return _store(request).said(tenant, response_id, MAX_ITEMS, size, answer=False)

    try:
        items = await asyncio.to_thread(read)
    except BrokenChain as error:
        raise NotFound(error.message, param="response_id") from error
    if backwards:
        items.reverse()
    page = _behind(items, after)
    data = page[:most]
    return JSONResponse(
        {
            "object": "list",
            "data": data,
            "first_id": data[0]["id"] if data else None,
            "last_id": data[-1]["id"] if data else None,
            "has_more": len(page) > most,
        }
    )


def _behind(items: list[Told], after: str | None) -> list[Told]:
    if after is None:
        return items
    places = [place for place, item in enumerate(items) if item["id"] == after]
    if not places:
        raise RequestError(f"No item of this response has the id '{after}'.", param="after")
    return items[places[0] + 1 :]


def _limit(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else 0
    if not 1 <= number <= 100:
        raise RequestError("'limit' is a number from 1 to 100.", param="limit")
    return number


def _backwards(order: str) -> bool:
    if order not in ("asc", "desc"):
        raise RequestError("'order' is 'asc' or 'desc'.", param="order")
    return order == "desc"


def _jobs(request: Request) -> Jobs:
    jobs: Jobs = request.app.state.jobs
    return jobs


def _store(request: Request) -> ResponseStore:
    store: ResponseStore = request.app.state.store
    return store


def _not_found(id: str) -> NotFound:
    return NotFound(f"Response with id '{id[:128]}' not found.", param="response_id")

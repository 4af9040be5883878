"""What is kept, by its id: GET and DELETE /v1/responses/{id}, and what is below it."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request

from functionary_sgl.api.answers import JSONResponse
from functionary_sgl.api.callers import caller
from functionary_sgl.api.limits import MAX_ITEMS
from functionary_sgl.api.responses.store import ResponseStore
from functionary_sgl.errors import BrokenChain, NotFound, RequestError

router = APIRouter()

Told = dict[str, Any]


@router.get("/v1/responses/{response_id}")
async def retrieve(request: Request, response_id: str) -> JSONResponse:
    """A response that was kept. It is told whole: there is nothing of it to come."""
    for name, harmless in (("stream", ("false", "False", "0")), ("starting_after", ())):
        if request.query_params.get(name, "false") not in ("false", *harmless):
            raise RequestError(
                f"'{name}' cannot be honoured here: responses are streamed when they are made; "
                "leave it out.",
                param=name,
            )
    found = await asyncio.to_thread(_store(request).get, caller(request).tenant, response_id)
    if found is None:
        raise _not_found(response_id)
    return JSONResponse(found)


@router.delete("/v1/responses/{response_id}")
async def delete(request: Request, response_id: str) -> JSONResponse:
    """Forget a response. What goes on from it cannot be gone on from any more."""
    deleted = await asyncio.to_thread(_store(request).delete, caller(request).tenant, response_id)
    if not deleted:
        raise _not_found(response_id)
    return JSONResponse({"id": response_id, "object": "response", "deleted": True})


@router.post("/v1/responses/{response_id}/cancel")
async def cancel(request: Request, response_id: str) -> JSONResponse:
    """Nothing that is kept is still being made: who leaves ends what is made for them."""
    found = await asyncio.to_thread(_store(request).get, caller(request).tenant, response_id)
    if found is None:
        raise _not_found(response_id)
    raise RequestError(
        f"Response '{response_id}' is {found['status']}: there is nothing to cancel. One that is "
        "still being made ends when its connection is closed.",
        param="response_id",
    )


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


def _store(request: Request) -> ResponseStore:
    store: ResponseStore = request.app.state.store
    return store


def _not_found(id: str) -> NotFound:
    return NotFound(f"Response with id '{id[:128]}' not found.", param="response_id")

"""All of a request's input: what it goes on from, and what it refers to, out of the store."""

from typing import Any

from pydantic import TypeAdapter

from functionary_sgl.api.limits import MAX_ITEMS
from functionary_sgl.api.responses.items import AnyItem, ItemReference
from functionary_sgl.api.responses.messages import Placed
from functionary_sgl.api.responses.requests import ResponsesRequest
from functionary_sgl.api.responses.store import ResponseStore
from functionary_sgl.errors import BrokenChain, NotFound, RequestError

_ITEM: TypeAdapter[AnyItem] = TypeAdapter(AnyItem)

PREVIOUS = "previous_response_id"


def refers(request: ResponsesRequest) -> bool:
    """Whether the store has something of its input."""
    return request.previous_response_id is not None or any(
        isinstance(item, ItemReference) for item, _ in request.items()
    )


def check_ended(running: dict[str, Any] | None) -> None:
    """RequestError where what a request goes on from is still being made."""
    if running is not None:
        raise RequestError(
            f"'{running['id']}' is still being made; go on from it when it is completed.",
            param=PREVIOUS,
        )


def earlier(
    request: ResponsesRequest, store: ResponseStore, tenant: bytes, size: int
) -> list[Placed]:
    """The items that `request` of `tenant` goes on from; BrokenChain where not all of them are
    kept, or they are more than a request may have, or `size` bytes."""
    if request.previous_response_id is None:
        return []
    try:
        said = store.said(tenant, request.previous_response_id, MAX_ITEMS, size, answer=True)
    except BrokenChain as error:
        raise BrokenChain(error.message, PREVIOUS) from error
    if len(said) + len(request.items()) > MAX_ITEMS:
        raise BrokenChain(f"An input has at most {MAX_ITEMS} items; begin anew.", PREVIOUS)
    return [(_read(item), PREVIOUS) for item in said]


def given(request: ResponsesRequest, store: ResponseStore, tenant: bytes) -> list[Placed]:
    """The items that `request` of `tenant` has, what it refers to among them. NotFound for what is
    not kept."""
    return [
        (_found(item, path, store, tenant) if isinstance(item, ItemReference) else item, path)
        for item, path in request.items()
    ]


def _found(item: ItemReference, path: str, store: ResponseStore, tenant: bytes) -> AnyItem:
    found = store.item(tenant, item.id)
    if found is None:
        raise NotFound(
            f"Item with id '{item.id}' not found. Items are kept with their response, unless "
            "'store' is false; send the item itself.",
            param=f"{path}.id",
        )
    return _read(found)


def _read(item: Any) -> AnyItem:
    return _ITEM.validate_python(item)

"""OpenAI's contract of the Responses API: answers, lists of items, and streams of events."""

import re
from typing import Any, Literal, get_args

import orjson
import pydantic
from openai.types.responses import (
    Response,
    ResponseCustomToolCall,
    ResponseCustomToolCallOutput,
    ResponseItem,
    ResponseReasoningItem,
    ResponseStreamEvent,
)

ALWAYS = {
    *("error", "incomplete_details", "instructions", "metadata", "status", "text", "usage", "user"),
    *("max_output_tokens", "previous_response_id", "reasoning", "temperature", "top_p"),
    "truncation",
}
"""Fields of a response that may be null but not missing."""

EXTRAS: dict[type, set[str]] = {Response: {"store"}, ResponseCustomToolCall: {"status"}}
"""Fields that OpenAI's server tells, and the types of openai-python 2.8 do not have yet."""

KEEP_ALIVE = b": keep-alive"
ENDS = ("response.completed", "response.incomplete", "response.failed")


class Deleted(pydantic.BaseModel):
    """What is told of a response that was deleted; openai-python looks at none of it."""

    model_config = {"extra": "forbid"}

    id: str
    object: Literal["response"]
    deleted: Literal[True]


class Items(pydantic.BaseModel):
    """`ResponseItemList` with the items that its types lack, and nulls where it is empty."""

    model_config = {"extra": "forbid"}

    object: Literal["list"]
    data: list[
        ResponseItem | ResponseReasoningItem | ResponseCustomToolCall | ResponseCustomToolCallOutput
    ]
    first_id: str | None
    last_id: str | None
    has_more: bool


def kind_of(method: str, path: str) -> type[pydantic.BaseModel]:
    """What a path below `/v1/responses` answers with."""
    if path.endswith("/input_items"):
        return Items
    return Deleted if method == "DELETE" else Response


def _by_type() -> dict[str, type[pydantic.BaseModel]]:
    union = get_args(ResponseStreamEvent)[0]
    return {get_args(kind.model_fields["type"].annotation)[0]: kind for kind in get_args(union)}


EVENTS = _by_type()


class Stream:
    """Takes the events of a stream one by one, and says what is wrong with each."""

    def __init__(self) -> None:
        self._last = ""
        self._number = 0
        self._items: list[str] = []
        self._open: set[str] = set()

    def add(self, event: bytes) -> tuple[type[pydantic.BaseModel], bytes, list[str]]:
        """The kind that `event` has to be, its data, and violations of order."""
        parts = re.fullmatch(rb"event: (\S+)\ndata: (.*)", event)
        if parts is None:
            return Response, b"null", [f"an event without name or data: {event!r}"]
        name, data = parts[1].decode(), orjson.loads(parts[2])
        found = list(self._misplaced(name, data))
        self._last = name
        self._number += 1
        return EVENTS[data["type"]], parts[2], found

    def end(self) -> list[str]:
        """What is wrong with a stream that ends here."""
        return [] if self._last in ENDS else [f"a stream that ends with {self._last}"]

    def _misplaced(self, name: str, data: dict[str, Any]) -> list[str]:
        found = []
        if name != data["type"]:
            found.append(f"an event {name} of the type {data['type']}")
        if data["sequence_number"] != self._number:
            found.append(f"event {self._number} has the number {data['sequence_number']}")
        if (self._number == 0) != (name == "response.created"):
            found.append(f"event {self._number} is {name}")
        if self._last in ENDS:
            found.append(f"{name} behind {self._last}")
        if name == "response.output_item.added":
            self._items.append(data["item"]["id"])
            self._open.add(data["item"]["id"])
        known = self._items[data["output_index"]] if "output_index" in data else None
        about = data.get("item_id") or data.get("item", {}).get("id")
        if about != known or (about and about not in self._open):
            found.append(f"{name} is about {about}, not {known}")
        if name == "response.output_item.done":
            self._open.discard(about)
        return found


def pieces(body: bytes) -> tuple[list[bytes], bytes]:
    """The events of a stream, and what comes behind the last of them."""
    *events, rest = [piece for piece in body.split(b"\n\n") if piece != KEEP_ALIVE]
    return events, rest

"""Anthropic's contract of the Messages API: answers, errors, and streams of events."""

import re
from typing import Any, Literal, get_args

import orjson
import pydantic
from anthropic.types import (
    Message,
    MessageTokensCount,
    RawContentBlockDeltaEvent,
    RawContentBlockStartEvent,
    RawContentBlockStopEvent,
    RawMessageDeltaEvent,
    RawMessageStartEvent,
    RawMessageStopEvent,
    Usage,
    raw_message_delta_event,
)

from functionary_sgl.api.messages.errors import TYPES


class Error(pydantic.BaseModel):
    """Of anthropic-python's types of errors, none has `request_too_large` (Anthropic's API
    reference, "Errors")."""

    model_config = {"extra": "forbid"}

    type: Literal[tuple(set(TYPES.values()))]  # type: ignore[valid-type]
    message: str
    details: dict[str, Any] | None = None


class ErrorResponse(pydantic.BaseModel):
    """What has gone wrong, before an answer or in the middle of it."""

    model_config = {"extra": "forbid"}

    type: Literal["error"]
    error: Error
    request_id: str


class Ping(pydantic.BaseModel):
    """An event that says nothing; clients pass over it."""

    model_config = {"extra": "forbid"}

    type: Literal["ping"]


EXTRAS: dict[type, set[str]] = {}
"""Fields that Anthropic's types do not have."""

NEVER_MISSING: dict[type, set[str]] = {
    Message: {"stop_reason", "stop_sequence"},
    raw_message_delta_event.Delta: {"stop_reason", "stop_sequence"},
    Usage: {"cache_creation_input_tokens", "cache_read_input_tokens"},
}
"""Fields that may be null but not missing."""

_EVENTS: tuple[type[pydantic.BaseModel], ...] = (
    RawMessageStartEvent,
    RawContentBlockStartEvent,
    RawContentBlockDeltaEvent,
    RawContentBlockStopEvent,
    RawMessageDeltaEvent,
    RawMessageStopEvent,
    Ping,
    ErrorResponse,
)

EVENTS = {get_args(kind.model_fields["type"].annotation)[0]: kind for kind in _EVENTS}

_DELTAS = {
    "text": ("text_delta",),
    "thinking": ("thinking_delta", "signature_delta"),
    "tool_use": ("input_json_delta",),
}


def kind_of(path: str, status: int) -> type[pydantic.BaseModel]:
    """What a path of Anthropic's is answered with."""
    if status >= 400:
        return ErrorResponse
    return MessageTokensCount if path.endswith("/count_tokens") else Message


class Stream:
    """Takes the events of a stream one by one, and says what is wrong with each."""

    def __init__(self) -> None:
        self._last = ""
        self._blocks = 0
        self._open = ""

    def add(self, event: bytes) -> tuple[type[pydantic.BaseModel], bytes, list[str]]:
        """The kind that `event` has to be, its data, and violations of order."""
        parts = re.fullmatch(rb"event: (\S+)\ndata: (.*)", event)
        if parts is None:
            return Ping, b"null", [f"an event without name or data: {event!r}"]
        name, data = parts[1].decode(), orjson.loads(parts[2])
        found = list(self._misplaced(name, data))
        self._last = name
        return EVENTS[data["type"]], parts[2], found

    def end(self) -> list[str]:
        """What is wrong with a stream that ends here."""
        ended = self._last in ("message_stop", "error")
        return [] if ended else [f"a stream that ends with {self._last}"]

    def _misplaced(self, name: str, data: dict[str, Any]) -> list[str]:
        found = []
        if name != data["type"]:
            found.append(f"an event {name} of the type {data['type']}")
        if (self._last == "") != (name == "message_start") and name != "error":
            found.append(f"{name} behind {self._last or 'nothing'}")
        if self._last in ("message_stop", "error"):
            found.append(f"{name} behind {self._last}")
        if (self._last == "message_delta") != (name == "message_stop") and name != "error":
            found.append(f"{name} behind {self._last}")
        if name == "content_block_start":
            self._blocks += 1
            kind = data["content_block"]["type"]
            found += [f"{kind} begins inside of {self._open}"] if self._open else []
            self._open = kind
        if "index" in data and data["index"] != self._blocks - 1:
            found.append(f"{name} of block {data['index']}, not {self._blocks - 1}")
        if "index" in data and not self._open:
            found.append(f"{name} outside of any block")
        if name == "content_block_delta" and data["delta"]["type"] not in _DELTAS.get(
            self._open, ()
        ):
            found.append(f"{data['delta']['type']} in {self._open}")
        if name == "content_block_stop":
            self._open = ""
        if name == "message_delta" and self._open:
            found.append(f"{name} inside of {self._open}")
        return found

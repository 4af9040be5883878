"""Bodies of requests: read, and parsed, with OpenAI's errors for what is wrong with them.

What one body costs others is bounded: how much of it comes in, how much of all of them is held, and
how many values are parsed in one go. Large ones are parsed beside the event loop.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request

from functionary_sgl.api.json_size import JSONSize
from functionary_sgl.api.limits import (
    FREE_BODY_BYTES,
    MAX_BODIES_BYTES,
    MAX_BODY_BYTES,
    MAX_BODY_DECODED,
    MAX_BODY_VALUES,
)
from functionary_sgl.errors import BodyTooLarge, RequestError, UnsupportedMediaType
from functionary_sgl.room import Room

T = TypeVar("T")

TAG_PREFIX = "~"
"""Begins the tags of unions; error paths leave these out."""

SMALL_BYTES = 32 * 1024
"""A body of less is parsed sooner than another thread is woken."""


_ROOM = Room(MAX_BODIES_BYTES, "Too many large requests at once; send it again later.")
"""For what all bodies that are under way hold, beyond the first part of each."""


async def parsed(request: Request, read: Callable[[bytes], T]) -> T:
    """What `read` makes of the body of `request`, and what it raises. RequestError for a body that
    is too large or not said to be JSON, ServerBusy where there is no room for it."""
    _check_type(request)
    async with _body(request) as body:
        if len(body) <= SMALL_BYTES:
            return read(body)
        return await asyncio.to_thread(read, body)


def _check_type(request: Request) -> None:
    # A web page may have a browser send text or a form to any server without asking it first.
    given = request.headers.get("content-type", "")
    if given.partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType(
            f"The body must be JSON, with 'Content-Type: application/json', not '{given}'."
        )


@asynccontextmanager
async def _body(request: Request) -> AsyncIterator[bytes]:
    """The body, which takes room until it is left."""
    declared = request.headers.get("content-length", "0")
    _check_size(int(declared) if declared.isascii() and declared.isdecimal() else 0)
    parts, size, taken, content = [], 0, 0, JSONSize()
    try:
        async for part in request.stream():
            size += len(part)
            _check_size(size)
            more = max(size - FREE_BODY_BYTES, 0) - taken
            _ROOM.take(more)
            taken += more
            parts.append(part)
            content.feed(part)
            if content.values > MAX_BODY_VALUES:
                raise BodyTooLarge(
                    f"The body holds more than {MAX_BODY_VALUES} JSON values; send fewer."
                )
            if content.decoded > MAX_BODY_DECODED:
                raise BodyTooLarge(
                    "The body's strings have too many characters that are escaped, or not ASCII."
                )
        yield b"".join(parts)
    finally:
        _ROOM.give_back(taken)


def _check_size(size: int) -> None:
    if size > MAX_BODY_BYTES:
        raise BodyTooLarge(f"The body is larger than {MAX_BODY_BYTES // 2**20} MiB.")


class Body(BaseModel):
    """An object in a body. Unknown fields are accepted, as OpenAI's clients of tomorrow will send
    them."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False)

    @classmethod
    def from_json(cls, text: bytes | str) -> Self:
        """What `text` holds; RequestError, about its first mistake, if it is none of this kind."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise _request_error(error.errors(include_url=False)) from error


def _request_error(errors: Sequence[Any]) -> RequestError:
    first = errors[0]
    if first["type"] == "json_invalid":
        reason = first.get("ctx", {}).get("error", first["msg"])
        return RequestError(f"The body of the request is not valid JSON: {reason}")
    param = _path(first["loc"])
    if not param:
        return RequestError("The body of the request must be a JSON object.")
    if first["type"] == "missing":
        message = f"Missing required parameter: '{param}'."
        return RequestError(message, param, "missing_required_parameter")
    return RequestError(f"Invalid value for '{param}': {first['msg']}.", param, "invalid_value")


def _path(location: Sequence[int | str]) -> str:
    path = ""
    for step in location:
        if isinstance(step, int):
            path += f"[{step}]"
        elif not step.startswith(TAG_PREFIX):
            path += f".{step}" if path else step
    return path

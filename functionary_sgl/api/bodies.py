"""Bodies of requests: read, and parsed, with OpenAI's errors for what is wrong with them.

What one body costs others is bounded: how much of it comes in, how much of all of them is held, and
how many values are parsed in one go, all counted as they are when they are unpacked. Large ones are
parsed beside the event loop.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError
from starlette.requests import Request

from functionary_sgl.api.encodings import coding, unpacked
from functionary_sgl.api.json_size import JSONSize
from functionary_sgl.api.limits import (
    FREE_BODY_BYTES,
    MAX_BODIES_BYTES,
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


def type_of(value: Any) -> Any:
    """The `type` of what is to be one of a union, parsed or not; for pydantic's discriminators."""
    return value.get("type") if isinstance(value, dict) else getattr(value, "type", None)


def of_known_type(value: Any, kinds: Collection[str], error: str, told: str, **named: str) -> Any:
    """`value` unless it has a type that is none of `kinds`: the error of this name then says what
    is `told`, with that `{kind}` and what else is `named`. For pydantic's validators."""
    kind = value.get("type") if isinstance(value, dict) else None
    if isinstance(kind, str) and kind not in kinds:
        raise PydanticCustomError(error, told, {"kind": kind[:64], **named})
    return value


def shown_type(value: Any, kinds: Collection[str], error: str, what: str) -> Any:
    """The same for what a model is shown; `what` names it in the plural."""
    known = ", ".join(f"'{kind}'" for kind in kinds)
    told = f"{what} of the type '{{kind}}' cannot be shown here; send one of the type {{known}}"
    return of_known_type(value, kinds, error, told, known=known)


def tags_of(kinds: Collection[str]) -> Callable[[Any], str | None]:
    """What tells values of these `kinds` apart, by their type; a pydantic discriminator."""

    def tag(value: Any) -> str | None:
        kind = type_of(value)
        return f"{TAG_PREFIX}{kind}" if kind in kinds else None

    return tag


async def parsed(request: Request, read: Callable[[bytes], T]) -> T:
    """What `read` makes of the body of `request`, and what it raises. RequestError for a body that
    is too large, not said to be JSON or no JSON, ServerBusy where there is no room for it."""
    _check_type(request)
    async with _body(request) as body:
        if body.size <= SMALL_BYTES:
            return body.read_by(read)
        return await asyncio.to_thread(body.read_by, read)


def _check_type(request: Request) -> None:
    # A web page may have a browser send text or a form to any server without asking it first.
    given = request.headers.get("content-type", "")
    if given.partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType(
            f"The body must be JSON, with 'Content-Type: application/json', not '{given}'."
        )


@asynccontextmanager
async def _body(request: Request) -> AsyncIterator["_Text"]:
    """The body, which takes room until it is left."""
    packed_by = coding(", ".join(request.headers.getlist("content-encoding")))
    most = request.app.state.max_body_bytes
    declared = request.headers.get("content-length", "0")
    _check_size(int(declared) if declared.isascii() and declared.isdecimal() else 0, most)
    with _Text(most) as text:
        if packed_by is None:
            async for part in request.stream():
                text.add(part)
        else:
            with _Parts(most) as packed:
                async for part in request.stream():
                    packed.add(part)
                await text.unpack(packed.whole(), packed_by)
        yield text


class _Parts:
    """Parts of a body, for which room is taken as they come in, until it is left; `most` bytes.

    Raises BodyTooLarge and ServerBusy.
    """

    def __init__(self, most: int) -> None:
        self.size = 0
        self._most = most
        self._taken = 0
        self._parts: list[bytes] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        _ROOM.give_back(self._taken)

    def add(self, part: bytes) -> None:
        """Take the next part."""
        self.size += len(part)
        _check_size(self.size, self._most)
        more = max(self.size - FREE_BODY_BYTES, 0) - self._taken
        _ROOM.take(more)
        self._taken += more
        self._parts.append(part)

    def whole(self) -> bytes:
        return b"".join(self._parts)


class _Text(_Parts):
    """The text of a body; BodyTooLarge also for what takes long to parse."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self._content = JSONSize()

    def add(self, part: bytes) -> None:
        super().add(part)
        self._content.feed(part)
        if self._content.values > MAX_BODY_VALUES:
            raise BodyTooLarge(
                f"The body holds more than {MAX_BODY_VALUES} JSON values; send fewer."
            )
        if self._content.decoded > MAX_BODY_DECODED:
            raise BodyTooLarge(
                "The body's strings have too many characters that are escaped, or not ASCII."
            )

    async def unpack(self, packed: bytes, packed_by: str) -> None:
        """Add what `packed` holds, piece by piece beside the event loop."""
        pieces = unpacked(packed, packed_by)
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            self.add(piece)

    def read_by(self, read: Callable[[bytes], T]) -> T:
        """What `read` makes of the text; RequestError if that is no JSON, in places too that it
        does not look at."""
        made = read(self.whole())
        if self._content.numberless:
            raise RequestError("The body of the request is not valid JSON: NaN or Infinity in it.")
        return made


def _check_size(size: int, most: int) -> None:
    if size > most:
        raise BodyTooLarge(f"The body is larger than {most // 2**20} MiB.")


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

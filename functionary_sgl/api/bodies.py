"""Bodies of requests: read, and parsed, with OpenAI's errors for what is wrong with them."""

from collections.abc import Sequence
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request

from functionary_sgl.api.limits import MAX_BODY_BYTES
from functionary_sgl.errors import RequestError

TAG_PREFIX = "~"
"""Begins the tags of unions; error paths leave these out."""


async def body(request: Request) -> bytes:
    """The body of `request`; RequestError if it is larger than the limit."""
    received = bytearray()
    async for part in request.stream():
        received += part
        if len(received) > MAX_BODY_BYTES:
            raise RequestError(f"The body is larger than {MAX_BODY_BYTES // 2**20} MiB.")
    return bytes(received)


class Body(BaseModel):
    """An object in a body. Unknown fields are accepted, as OpenAI's clients of tomorrow will send
    them."""

    # NaN and infinity, which are no JSON, are read all the same; no field takes them.
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

"""JSON text to a request, with OpenAI's errors for what is wrong with it."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from functionary_sgl.api.requests import TAG_PREFIX, ChatRequest
from functionary_sgl.errors import RequestError


def chat_request(json_text: bytes | str) -> ChatRequest:
    """The chat request in `json_text`; RequestError, about its first mistake, if there is none."""
    try:
        return ChatRequest.model_validate_json(json_text)
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

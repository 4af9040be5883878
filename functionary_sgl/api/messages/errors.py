"""Errors as Anthropic's error body."""

from collections.abc import Mapping
from typing import Any

from functionary_sgl import record
from functionary_sgl.api.errors import Shape, error_status, told
from functionary_sgl.api.messages.promises import NO_THREADS
from functionary_sgl.errors import RequestError

TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    413: "request_too_large",
    415: "invalid_request_error",
    429: "rate_limit_error",
    500: "api_error",
    503: "overloaded_error",
    504: "timeout_error",
}
"""By status; Anthropic's own for a server that has too much to do is 529."""


def error_body(error: Exception) -> dict[str, Any]:
    """`{"type": "error", "error": {...}, "request_id": ...}`. There is no field for the place of a
    mistake: the message begins with it, unless it names it."""
    message = told(error)
    if isinstance(error, RequestError) and error.param and error.param not in message:
        message = f"{error.param}: {message}"
    described: dict[str, Any] = {
        "type": TYPES.get(error_status(error), "api_error"),
        "message": message,
    }
    if isinstance(error, RequestError) and error.code == NO_THREADS:
        described |= {"details": {"error_code": error.code}}
    return {"type": "error", "error": described, "request_id": record.current().id}


SHAPES: Mapping[str, Shape] = {"/v1/messages": error_body}
"""For `errors.install`: of all below this path."""

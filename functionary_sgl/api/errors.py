"""Errors, whatever went wrong and wherever: as OpenAI's error body, or in the form of the protocol
whose path was asked for."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Scope

from functionary_sgl import record
from functionary_sgl.api.answers import JSONResponse
from functionary_sgl.api.nearest import nearest
from functionary_sgl.api.paths import plain
from functionary_sgl.errors import (
    EngineError,
    FunctionaryError,
    MethodNotAllowed,
    NotFound,
    RequestError,
    ServerBusy,
    ServerLoading,
    ServerStopping,
)

logger = logging.getLogger(__name__)

Shape = Callable[[Exception], dict[str, Any]]
"""The body that tells of an error."""

ELSEWHERE = {"Connection": "close"}
"""So that the next request finds another server, or this one when it is there again."""


def error_body(error: Exception) -> dict[str, Any]:
    """`{"error": {...}}`, as OpenAI has it."""
    if isinstance(error, RequestError):
        details = {"type": error.type, "param": error.param, "code": error.code}
        return {"error": {"message": error.message, **details}}
    type, code = (
        (error.type, error.code) if isinstance(error, EngineError) else ("server_error", None)
    )
    return {"error": {"message": told(error), "type": type, "param": None, "code": code}}


def told(error: Exception) -> str:
    """What clients are told of `error`; the inside of an unexpected one is for the log."""
    if isinstance(error, FunctionaryError):
        return str(error)
    return "The server failed; its log says why."


def error_status(error: Exception) -> int:
    """The HTTP status for `error`."""
    return error.status if isinstance(error, RequestError | EngineError) else 500


def error_response(
    error: Exception, scope: Scope, headers: dict[str, str] | None = None
) -> JSONResponse:
    """The whole response for `error`, which is noted, to the request of `scope`."""
    note(error)
    if isinstance(error, ServerBusy):
        headers = {"Retry-After": str(error.retry_after), **(headers or {})}
    if isinstance(error, ServerStopping | ServerLoading):
        headers = {"Retry-After": "1", **ELSEWHERE, **(headers or {})}
    return JSONResponse(_shape(scope)(error), error_status(error), headers)


def _shape(scope: Scope) -> Shape:
    """That of the protocol that has the path of `scope`."""
    state = getattr(scope.get("app"), "state", None)
    shapes: Mapping[str, Shape] = getattr(state, "error_shapes", {})
    path = plain(scope["path"]) + "/"
    return next((shape for at, shape in shapes.items() if path.startswith(f"{at}/")), error_body)


def note(error: Exception) -> None:
    """Have the record of the request say what ended it; what the client does not see is logged."""
    known = record.current()
    known.error = type(error).__name__
    known.code = getattr(error, "code", None) or ""
    if not isinstance(error, FunctionaryError | HTTPException | ClientDisconnect):
        logger.error("request %s of %s failed", known.id, known.key or "anyone", exc_info=error)


def install(app: FastAPI, shapes: Mapping[str, Shape]) -> None:
    """Let every error of `app` leave in OpenAI's form, or in that of `shapes` for a path that has
    one, and what is below it."""
    app.state.error_shapes = shapes

    @app.exception_handler(FunctionaryError)
    async def on_error(request: Request, error: FunctionaryError) -> JSONResponse:
        return error_response(error, request.scope)

    @app.exception_handler(ClientDisconnect)
    async def on_leave(request: Request, error: ClientDisconnect) -> Response:
        note(error)
        return Response(status_code=499)  # for the log; nobody is there to read it

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> JSONResponse:
        where = f"{request.method} {request.url.path}"
        headers = dict(error.headers or {})
        if error.status_code == 404:
            known = nearest(app, request.method, request.url.path)
            message = f"Unknown URL: {where}. The nearest endpoint of this server is {known}."
            return error_response(NotFound(message), request.scope, headers)
        if error.status_code == 405:
            if headers.get("Allow") == "GET":
                headers["Allow"] = "GET, HEAD"
            allowed = f"; allowed: {headers['Allow']}" if "Allow" in headers else ""
            refused = MethodNotAllowed(f"Not allowed: {where}{allowed}")
            return error_response(refused, request.scope, headers)
        return error_response(RequestError(str(error.detail)), request.scope, headers)

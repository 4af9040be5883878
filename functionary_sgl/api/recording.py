"""Each request is recorded: a line in the log, and what is counted of it."""

import logging
from contextlib import AbstractContextManager, nullcontext
from contextvars import copy_context
from time import perf_counter

from opentelemetry.trace import Span, StatusCode
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from functionary_sgl import record, tracing
from functionary_sgl.api.auth import LOOKING
from functionary_sgl.api.errors import error_response
from functionary_sgl.api.paths import plain
from functionary_sgl.log_lines import FIELDS
from functionary_sgl.metrics import (
    CACHED_TOKENS,
    COMPLETION_TOKENS,
    FIRST_TOKEN,
    PROMPT_TOKENS,
    REQUEST_SECONDS,
    REQUESTS,
)
from functionary_sgl.record import Record

WORK = logging.getLogger("functionary_sgl.requests")
"""Has a line for each request that asks for work, or fails; it is shown at every level."""

LOOKS = logging.getLogger("functionary_sgl.looks")
"""The same for those that only look, as monitors do every other second."""

OTHER = "other"
"""The endpoint of requests for what there is not; their paths are clients' own texts."""

_LEFT = 499
"""The status, as nginx has it, of a request whose client left before there was one."""


_CONVENTIONAL = {
    "method": "http.request.method",
    "endpoint": "http.route",
    "status": "http.response.status_code",
    "error": "error.type",
    "model": "gen_ai.request.model",
    "prompt_tokens": "gen_ai.usage.input_tokens",
    "completion_tokens": "gen_ai.usage.output_tokens",
}


class RecordRequests:
    """ASGI middleware, inside of what names requests and outside of all else. An error that nobody
    foresaw ends here: it is logged once, and the client is told."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        known = record.begin(scope["state"]["request_id"])
        status = 0

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        endpoint = _endpoint(scope)
        with _span(scope, endpoint) as span:
            try:
                await self._app(scope, receive, seen)
            except Exception as error:
                if status:  # it is too late to tell: the connection is cut, and uvicorn logs why
                    raise
                await error_response(error, scope)(scope, receive, seen)
            finally:
                _tell(known, scope["method"], endpoint, status or _LEFT, span)


def tell_of_refused(id: str, status: int) -> None:
    """Record what was answered with `status` before it was read."""
    REQUESTS.labels(OTHER, status, "").inc()
    if WORK.isEnabledFor(logging.INFO):
        fields: dict[str, str | int | float] = {"method": "-", "endpoint": OTHER, "status": status}
        copy_context().run(_log_refused, id, fields)


def _log_refused(id: str, fields: dict[str, str | int | float]) -> None:
    record.begin(id)
    WORK.info("%s", _line(fields), extra={FIELDS: fields})


def _span(scope: Scope, endpoint: str) -> AbstractContextManager[Span | None]:
    if scope["method"] in LOOKING:
        return nullcontext()
    return tracing.request(f"{scope['method']} {endpoint}", Headers(scope=scope))


def _tell(known: Record, method: str, endpoint: str, status: int, span: Span | None) -> None:
    took = perf_counter() - known.started
    REQUESTS.labels(endpoint, status, known.key).inc()
    REQUEST_SECONDS.labels(endpoint).observe(took)
    if (first := known.until_first_token) is not None:
        FIRST_TOKEN.observe(first)
    if known.prompt_tokens:
        PROMPT_TOKENS.observe(known.prompt_tokens)
        CACHED_TOKENS.observe(known.cached_tokens)
        COMPLETION_TOKENS.observe(known.completion_tokens)
    logger = LOOKS if method in LOOKING and status < 400 else WORK
    if logger.isEnabledFor(logging.INFO) or span is not None:
        fields = _fields(known, method, endpoint, status, took)
        if span is not None:
            span.set_attributes(_attributes(fields | {"request_id": known.id}))
            if status >= 500:
                span.set_status(StatusCode.ERROR)
            fields["trace_id"] = tracing.trace_id(span)
        logger.info("%s", _line(fields), extra={FIELDS: fields})


def _endpoint(scope: Scope) -> str:
    """The path of `scope` as the OpenAPI document spells it, without what of it is the client's."""
    path, known = plain(scope["path"]), scope["app"].openapi()["paths"]
    if path in known:
        return path
    alike = [name for name in known if _is_of(name, path)]
    return max(alike, key=lambda name: len(name.partition("}")[2]), default=OTHER)


def _is_of(name: str, path: str) -> bool:
    """Whether `path` is one of those that the document has as `name`."""
    begin, brace, rest = name.partition("{")
    return bool(brace) and path.startswith(begin) and path.endswith(rest.partition("}")[2])


def _fields(
    known: Record, method: str, endpoint: str, status: int, took: float
) -> dict[str, str | int | float]:
    """What the line says, without what there is nothing to say of."""
    first = known.until_first_token
    fields: dict[str, str | int | float | None] = {
        "method": method,
        "endpoint": endpoint,
        "status": status,
        "key": known.key or None,
        "model": known.model or None,
        "adapter": known.adapter or None,
        "error": known.error or None,
        "code": known.code or None,
        "finish": known.finish or None,
    }
    if known.prompt_tokens:
        fields |= {
            "prompt_tokens": known.prompt_tokens,
            "cached_tokens": known.cached_tokens,
            "completion_tokens": known.completion_tokens,
            "calls": known.calls,
        }
    fields |= {"first_token_s": None if first is None else round(first, 4)}
    fields |= {"duration_s": round(took, 4)}
    return {name: value for name, value in fields.items() if value is not None}


def _attributes(fields: dict[str, str | int | float]) -> dict[str, str | int | float]:
    """The fields as OpenTelemetry's conventions call them, where these have a name."""
    return {_CONVENTIONAL.get(name, f"functionary.{name}"): told for name, told in fields.items()}


def _line(fields: dict[str, str | int | float]) -> str:
    """As `POST /v1/chat/completions 200 key=shop ...`."""
    begin = [str(fields[name]) for name in ("method", "endpoint", "status")]
    rest = [f"{name}={value}" for name, value in fields.items()][len(begin) :]
    return " ".join([*begin, *rest])

"""The HTTP application."""

import time
from collections.abc import Collection
from typing import Any

from fastapi import FastAPI

from functionary_sgl import __version__
from functionary_sgl.api import adapters, errors, health, metrics, models, page, root
from functionary_sgl.api.auth import RequireKey
from functionary_sgl.api.bodies import Body
from functionary_sgl.api.browsers import ANY, KnownNames, RequireKnownNames, ShowAnswers
from functionary_sgl.api.chat import endpoint as chat
from functionary_sgl.api.chat import tokens
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.api.chat.tokens import (
    DetokenizeRequest,
    TokenizeChatRequest,
    TokenizeTextRequest,
)
from functionary_sgl.api.completions import endpoint as completions
from functionary_sgl.api.completions.requests import CompletionRequest
from functionary_sgl.api.keys import Keyring
from functionary_sgl.api.limits import MAX_BODY_BYTES
from functionary_sgl.api.messages import endpoint as messages
from functionary_sgl.api.messages.errors import SHAPES
from functionary_sgl.api.messages.requests import CountTokensRequest, MessagesRequest
from functionary_sgl.api.paths import ReadPaths
from functionary_sgl.api.recording import RecordRequests
from functionary_sgl.api.request_id import NameRequests
from functionary_sgl.api.responses import endpoint as responses
from functionary_sgl.api.responses import stored
from functionary_sgl.api.responses.background import Jobs
from functionary_sgl.api.responses.requests import ResponsesRequest
from functionary_sgl.api.responses.store import ResponseStore
from functionary_sgl.model import Model


def create_app(
    model: Model,
    keys: Keyring | None = None,
    hosts: Collection[str] = (ANY,),
    origins: Collection[str] = (),
    max_body_bytes: int = MAX_BODY_BYTES,
    request_seconds: float | None = None,
    store: ResponseStore | None = None,
    jobs: Jobs | None = None,
    has_page: bool = True,
) -> FastAPI:
    """An ASGI application that serves `model`; if there are `keys`, only to those who send one of
    them. `hosts` and `origins` as in KnownNames, `request_seconds` as in `deadline`.
    `store`: keeps responses; None: one in memory, with the bounds that are the default.
    `jobs`: those that are made in the background. `has_page`: whether browsers are shown the
    playground."""
    app = FastAPI(title="functionary-sgl", version=__version__, redirect_slashes=False)
    app.state.model = model
    app.state.max_body_bytes = max_body_bytes
    app.state.request_seconds = request_seconds
    app.state.store = store or ResponseStore()
    app.state.jobs = Jobs() if jobs is None else jobs
    app.state.has_page = has_page
    app.state.started = int(time.time())
    app.include_router(chat.router)
    app.include_router(completions.router)
    app.include_router(messages.router)
    app.include_router(responses.router)
    app.include_router(stored.router)
    app.include_router(tokens.router)
    app.include_router(models.router)
    app.include_router(adapters.router)
    app.include_router(health.router)
    app.include_router(metrics.router)
    app.include_router(root.router)
    if has_page:
        app.include_router(page.router)
    errors.install(app, SHAPES)
    if keys:
        app.add_middleware(RequireKey, keys=keys)
    known = KnownNames(hosts, origins)
    app.add_middleware(RequireKnownNames, known=known)
    app.add_middleware(ReadPaths)
    app.add_middleware(RecordRequests)
    app.add_middleware(ShowAnswers, known=known)
    app.add_middleware(NameRequests)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


BODIES: tuple[type[Body], ...] = (
    *(ChatRequest, CompletionRequest, ResponsesRequest, MessagesRequest, CountTokensRequest),
    *(TokenizeTextRequest, TokenizeChatRequest, DetokenizeRequest),
)
"""Of the requests that are for a model."""


def _openapi(app: FastAPI) -> dict[str, Any]:
    """FastAPI's schema with the requests' bodies, which are read without FastAPI's help."""
    model: Model = app.state.model
    if app.openapi_schema is None:
        schema = FastAPI.openapi(app)
        components = schema.setdefault("components", {}).setdefault("schemas", {})
        for kind in BODIES:
            body = kind.model_json_schema(ref_template="#/components/schemas/{model}")
            components |= body.pop("$defs", {}) | {kind.__name__: body}
        app.openapi_schema = schema
    # Adapters come and go.
    names = [*model.names, *model.adapters]
    for kind in BODIES:
        fields = app.openapi_schema["components"]["schemas"][kind.__name__]["properties"]
        fields["model"] = {"enum": names if model.adapters else [*names, None]}
    return app.openapi_schema

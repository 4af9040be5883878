"""The application that answers while the model is loaded: alive, and not ready."""

from fastapi import FastAPI, Request

from functionary_sgl.api import errors
from functionary_sgl.api.answers import JSONResponse
from functionary_sgl.api.messages.errors import SHAPES
from functionary_sgl.api.request_id import NameRequests
from functionary_sgl.errors import ServerLoading

_METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]


def create_app() -> FastAPI:
    """An ASGI application that says so on `/health`, and everything else is a 503."""
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    errors.install(app, SHAPES)
    app.add_middleware(NameRequests)

    @app.get("/health")
    async def health() -> JSONResponse:
        return JSONResponse({"status": "loading"}, headers=errors.ELSEWHERE)

    @app.api_route("/{path:path}", methods=_METHODS)
    async def others(request: Request) -> None:
        raise ServerLoading("The model is still being loaded; try again soon.")

    return app

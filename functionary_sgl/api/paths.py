"""Paths as clients spell them, and HEAD.

Base URLs are written with a slash at their end and without, and joined with paths by clients that
do not look. Monitors and load balancers ask with HEAD whether anybody is there.
"""

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# What follows is the name of a model, which may be a path.
_OF_A_MODEL = re.compile(r"/+v1/+models/(.*[^/].*)", re.DOTALL)


class ReadPaths:
    """ASGI middleware: slashes that are doubled or at a path's end count for nothing, and HEAD is
    GET whose answer has no body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        scope = {**scope, "path": plain(scope["path"])}
        if scope["method"] != "HEAD":
            return await self._app(scope, receive, send)

        async def without_body(message: Message) -> None:
            body = {"body": b""} if message["type"] == "http.response.body" else {}
            await send({**message, **body})

        return await self._app({**scope, "method": "GET"}, receive, without_body)


def plain(path: str) -> str:
    """The spelling of `path` that routes have."""
    model = _OF_A_MODEL.fullmatch(path)
    if model is not None:
        return f"/v1/models/{model[1]}"
    return "/" + "/".join(part for part in path.split("/") if part)

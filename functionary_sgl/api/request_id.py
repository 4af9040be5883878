"""`x-request-id`: a name for each request, which its client, proxies and our log have in common.
Anthropic's clients look for it in `request-id`."""

import re
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "x-request-id"
HEADERS = (HEADER, "request-id")
"""Of answers."""

_TAKEN = re.compile(r"[0-9A-Za-z._:/+=@-]{1,128}")


def new_request_id() -> str:
    """A new one, in OpenAI's form."""
    return f"req_{uuid.uuid4().hex}"


class NameRequests:
    """ASGI middleware. Every answer has the request's name: the client's own `x-request-id` if that
    is up to 128 letters, digits and `._:/+=@-`, else a new one. It is in the request's state, too.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        given = Headers(scope=scope).get(HEADER, "")
        name = given if _TAKEN.fullmatch(given) else new_request_id()
        scope["state"] = {**scope.get("state", {}), "request_id": name}

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                for header in HEADERS:
                    MutableHeaders(scope=message)[header] = name
            await send(message)

        return await self._app(scope, receive, named)

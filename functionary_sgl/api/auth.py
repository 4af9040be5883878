"""API keys: where the server has one, every path but /health asks for it."""

import hashlib
import hmac

from starlette.types import ASGIApp, Receive, Scope, Send

from functionary_sgl.api.errors import error_response
from functionary_sgl.errors import AuthenticationError

OPEN_PATHS = ("/health",)


class RequireKey:
    """ASGI middleware. Keys are compared as digests, in constant time."""

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app = app
        self._digest = _digest(key.encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in OPEN_PATHS:
            header = dict(scope["headers"]).get(b"authorization", b"")
            scheme, _, key = header.partition(b" ")
            if scheme.lower() != b"bearer" or not hmac.compare_digest(_digest(key), self._digest):
                error = AuthenticationError(
                    "No valid API key; send it as 'Authorization: Bearer KEY'."
                )
                response = error_response(error, {"WWW-Authenticate": "Bearer"})
                return await response(scope, receive, send)
        return await self._app(scope, receive, send)


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()

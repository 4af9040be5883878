"""API keys: where the server has one, every path but those that say no more than that it is there
asks for it."""

import hashlib
import hmac
from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

from functionary_sgl.api.errors import error_response
from functionary_sgl.errors import AuthenticationError

OPEN_PATHS = ("/health", "/")


class RequireKey:
    """ASGI middleware. Keys are compared as digests, in constant time, each with all.

    The digest of the key that was sent is left in the request's state as `tenant`, for what is kept
    apart by key.
    """

    def __init__(self, app: ASGIApp, keys: Sequence[str]) -> None:
        self._app = app
        self._digests = [_digest(key.encode()) for key in keys]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in OPEN_PATHS:
            header = dict(scope["headers"]).get(b"authorization", b"")
            scheme, _, key = header.partition(b" ")
            tenant = self._tenant(key.strip()) if scheme.lower() == b"bearer" else None
            if tenant is None:
                error = AuthenticationError(
                    "No valid API key; send it as 'Authorization: Bearer KEY'."
                )
                response = error_response(error, {"WWW-Authenticate": "Bearer"})
                return await response(scope, receive, send)
            scope["state"] = {**scope.get("state", {}), "tenant": tenant}
        return await self._app(scope, receive, send)

    def _tenant(self, key: bytes) -> bytes | None:
        """The digest of `key` if it is one of the server's; an empty one never is."""
        sent = _digest(key)
        # All are compared, so that the time does not tell which it is.
        known = [hmac.compare_digest(sent, digest) for digest in self._digests]
        return sent if key and any(known) else None


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()

"""API keys: where the server has some, every path but those that say no more than that it is there
asks for one."""

from collections.abc import Iterable, Iterator

from starlette.types import ASGIApp, Receive, Scope, Send

from functionary_sgl import record
from functionary_sgl.api.errors import error_response
from functionary_sgl.api.keys import Keyring
from functionary_sgl.api.page import PREFIX
from functionary_sgl.api.rate_headers import telling
from functionary_sgl.caller import Caller
from functionary_sgl.errors import AuthenticationError, KeyLimitReached

OPEN_PATHS = ("/health", "/ready", "/")


def is_open(path: str) -> bool:
    """Whether `path` asks for no key: nothing of the server is told there but that it is there, and
    its page."""
    return path in OPEN_PATHS or path.startswith(PREFIX)


Headers = Iterable[tuple[bytes, bytes]]

LOOKING = ("GET", "HEAD", "OPTIONS")
"""Methods whose requests do not count as any, to the limits of a key: they ask for no work."""


class RequireKey:
    """ASGI middleware: a request has one of `keys`, or no answer, and counts to its limit, of which
    the answer tells what is left.

    Whose it is, is left in the request's state as `caller`.
    """

    def __init__(self, app: ASGIApp, keys: Keyring) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not is_open(scope["path"]):
            caller = self._caller(scope["headers"])
            if caller is None:
                error = AuthenticationError(
                    "No valid API key; send it as 'Authorization: Bearer KEY', or 'x-api-key: KEY'."
                )
                response = error_response(error, scope, {"WWW-Authenticate": "Bearer"})
                return await response(scope, receive, send)
            # In place: who stands outside of this, as logs do, sees it too.
            scope.setdefault("state", {})["caller"] = caller
            record.current().key = caller.name
            send = telling(caller.requests, send)
            if scope["method"] not in LOOKING:
                try:
                    caller.requests.take()
                except KeyLimitReached as reached:
                    return await error_response(reached, scope)(scope, receive, send)
        return await self._app(scope, receive, send)

    def _caller(self, headers: Headers) -> Caller | None:
        """Whose the first is of the keys in `headers` that is anybody's."""
        found = (self._keys.caller(key) for key in _keys(headers))
        return next((caller for caller in found if caller), None)


def _keys(headers: Headers) -> Iterator[bytes]:
    """All that is sent as a key: as OpenAI's clients do, or as Anthropic's."""
    for name, value in headers:
        scheme, _, key = value.partition(b" ")
        if name == b"authorization" and scheme.lower() == b"bearer":
            yield key.strip()
        elif name == b"x-api-key":
            yield value.strip()

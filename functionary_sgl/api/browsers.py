"""What web pages may have a browser send here: nothing, unless they are this server's own.

Any page can make a browser send requests to a server on its user's machine. It says so in `Origin`
(the Fetch standard), and is refused. A page whose name is made to mean this machine (DNS rebinding)
counts as of the same origin to the browser, but its name is in `Host`: names that are not this
server's are refused too. An address is always taken, for nobody can make one mean another machine.

Pages that may ask are told so as the Fetch standard says (CORS), before they ask (preflight) and
with every answer: a browser shows them no other.
"""

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from functionary_sgl.api.auth import is_open
from functionary_sgl.api.errors import error_response
from functionary_sgl.api.rate_headers import LIMIT, REMAINING, RESET
from functionary_sgl.api.request_id import HEADERS
from functionary_sgl.errors import Forbidden

ANY = "*"

SHOWN_HEADERS = ", ".join(
    ("functionary-unenforced", "retry-after", LIMIT, REMAINING, RESET, *HEADERS)
)
"""Of answers, which pages may read besides those that they always may."""

PREFLIGHT_SECONDS = 600
"""How long a browser may remember what it was told before a request."""


class KnownNames:
    """`hosts` are the names that this server is known by besides `localhost` (`.example.com`: and
    all names that end so), `origins` the pages that may ask; "*" is any."""

    def __init__(self, hosts: Collection[str], origins: Collection[str]) -> None:
        self._hosts = [host.lower() for host in hosts]
        self._origins = [origin.lower().rstrip("/") for origin in origins]

    def objection(self, headers: Headers) -> Forbidden | None:
        """Why a request with these `headers` is not answered, if it is not."""
        for host in headers.getlist("host"):
            if not self._is_own(host):
                return Forbidden(
                    f"This server is not known as '{host}'. Whoever runs it can add the name with "
                    "--allowed-hosts."
                )
        for origin in headers.getlist("origin"):
            if not self._may_ask(origin.lower(), headers.get("host", "").lower()):
                return Forbidden(
                    f"Pages of '{origin}' may not use this server. Whoever runs it can allow them "
                    "with --allowed-origins."
                )
        return None

    def _is_own(self, host: str) -> bool:
        name = _name(host)
        return (
            ANY in self._hosts
            or name == "localhost"
            or name in self._hosts
            or any(name.endswith(host) for host in self._hosts if host.startswith("."))
            or _is_address(name)
        )

    def _may_ask(self, origin: str, host: str) -> bool:
        own = origin in (f"http://{host}", f"https://{host}")
        return own or ANY in self._origins or origin in self._origins


class RequireKnownNames:
    """ASGI middleware: only requests that `known` has no objection to go further, but for what is
    open to everybody; and pages that ask before they ask are answered here, before any key is asked
    for."""

    def __init__(self, app: ASGIApp, known: KnownNames) -> None:
        self._app = app
        self._known = known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        error = self._known.objection(headers)
        if error is not None and not is_open(scope["path"]):
            return await error_response(error, scope)(scope, receive, send)
        asks_before = scope["method"] == "OPTIONS" and "access-control-request-method" in headers
        if error is None and asks_before and "origin" in headers:
            return await _preflight(headers)(scope, receive, send)
        return await self._app(scope, receive, send)


class ShowAnswers:
    """ASGI middleware, outside of all that answers: pages that `known` has no objection to may read
    whatever they are answered, errors that nobody foresaw too.

    Never with credentials (`Access-Control-Allow-Credentials`): browsers then send no cookies, and
    a page has to have a key of its own, whatever origins are allowed.
    """

    def __init__(self, app: ASGIApp, known: KnownNames) -> None:
        self._app = app
        self._known = known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        if "origin" not in headers or self._known.objection(headers) is not None:
            return await self._app(scope, receive, send)

        async def shown(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = MutableHeaders(scope=message)
                told["access-control-allow-origin"] = headers["origin"]
                told["access-control-expose-headers"] = SHOWN_HEADERS
                told.add_vary_header("Origin")
            await send(message)

        return await self._app(scope, receive, shown)


def _preflight(headers: Headers) -> Response:
    """The answer to a browser that asks whether a page may send what it would."""
    told = {
        "access-control-allow-methods": "GET, HEAD, POST, DELETE",
        "access-control-max-age": str(PREFLIGHT_SECONDS),
    }
    if asked := headers.get("access-control-request-headers"):
        told["access-control-allow-headers"] = asked
    if headers.get("access-control-request-private-network") == "true":
        told["access-control-allow-private-network"] = "true"
    return Response(status_code=204, headers=told)


def _name(host: str) -> str:
    """The name in a `Host` header, without port; empty for what is none."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower().rstrip(".")
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True

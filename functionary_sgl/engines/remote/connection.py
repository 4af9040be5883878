"""HTTP to one address, behind which are an engine or several."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, Literal

import aiohttp
import orjson

from functionary_sgl.engines.remote.events import Nonsense, events, parsed
from functionary_sgl.errors import EngineError, FunctionaryError, RequestError, ServerBusy

CONNECT_SECONDS = 5.0
"""How long it may take to be let in: to be queued takes no longer on a network that works."""

IDLE_SECONDS = 2.0
"""How long a connection waits for its next request: SGLang closes its own after 5."""

ANSWER_SECONDS = 25.0
"""How long questions about the engine may take: to find out that it hangs takes SGLang 20."""

END_SECONDS = 1.0
"""How long an answer that has ended may take to say so; then its connection is closed."""

Reason = Literal["unreachable", "status", "silent", "cut", "nonsense"]


class Lost(Exception):
    """An attempt that came to nothing, and why; another may come to something."""

    def __init__(self, reason: Reason, told: str) -> None:
        super().__init__(told)
        self.reason: Reason = reason


class Connection:
    """To `url`. `key` is sent along, if there is one. Made and used within one event loop."""

    def __init__(self, url: str, key: str | None, silence_seconds: float) -> None:
        self.url = url.rstrip("/")
        self._silence_seconds = silence_seconds
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_SECONDS),
            headers={} if key is None else {"authorization": f"Bearer {key}"},
            timeout=aiohttp.ClientTimeout(sock_connect=CONNECT_SECONDS, sock_read=silence_seconds),
        )

    async def close(self) -> None:
        """Let go of all connections."""
        await self._session.close()

    async def ask(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any] | None:
        """The object that `path` has, or answers to `body`; None where there is no such path.
        Raises as `stream` does."""
        async with self._answer(path, body, ANSWER_SECONDS) as response:
            if response.status in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED):
                return None
            await _check(response)
            return parsed(await response.read())

    async def status(self, path: str) -> int:
        """That of an answer to a GET. Raises Lost where there is none."""
        async with self._answer(path, None, ANSWER_SECONDS) as response:
            return response.status

    async def tell_abort(self, rid: str) -> int:
        """Have SGLang's own server stop the request `rid`; the status of its answer, 0 without."""
        try:
            async with self._answer("/abort_request", {"rid": rid}, ANSWER_SECONDS) as response:
                return response.status
        except Lost:
            return 0

    async def stream(self, path: str, body: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """The events that `path` answers to `body`. Raises Lost where something is wrong there,
        RequestError or ServerBusy where it says that it is with the request."""
        async with self._answer(path, body, None) as response:
            await _check(response)
            async for event in events(response.content.iter_any()):
                yield event
            async with asyncio.timeout(END_SECONDS):
                await response.content.readany()

    @asynccontextmanager
    async def _answer(
        self, path: str, body: dict[str, Any] | None, seconds: float | None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        method, content = ("GET", None) if body is None else ("POST", orjson.dumps(body))
        answered = False
        try:
            async with (
                asyncio.timeout(seconds),
                self._session.request(
                    method,
                    self.url + path,
                    data=content,
                    headers={"content-type": "application/json"},
                    allow_redirects=False,
                ) as response,
            ):
                answered = True
                yield response
        except Nonsense as error:
            raise Lost("nonsense", str(error)) from error
        except aiohttp.SocketTimeoutError as error:
            raise Lost("silent", f"it was silent for {self._silence_seconds:g} seconds") from error
        except TimeoutError as error:
            raise Lost("unreachable", "it does not answer in time") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            if answered:
                raise Lost("cut", "it broke off its answer") from error
            raise Lost("unreachable", _told(error)) from error


async def _check(response: aiohttp.ClientResponse) -> None:
    """Raises what its status means, unless it is that all is well."""
    status = response.status
    if status == HTTPStatus.OK:
        return
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise ServerBusy("The engine has as many requests as it can take; send this again later.")
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise EngineError(
            "The engine does not take the key of this server (FUNCTIONARY_ENGINE_API_KEY)."
        )
    text = await response.read()
    if status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY):
        raise RequestError(f"The engine does not take this: {_message(text)}")
    # A router without an engine, a proxy without a router: they are not there yet, or no more.
    absent = status in (
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    )
    raise Lost("unreachable" if absent else "status", f"it answers with the status {status}")


def refusal(error: Any) -> FunctionaryError | Lost:
    """What is to be raised for an event that has this `error`."""
    if not isinstance(error, dict):
        return Lost("nonsense", "it tells of an error that is none")
    if error.get("code") == HTTPStatus.BAD_REQUEST:
        return RequestError(f"The engine does not take this: {error.get('message')}")
    return Lost("status", f"it failed: {error.get('message')}")


def _message(body: bytes) -> str:
    """What an error's body says, in SGLang's form or another."""
    try:
        told: Any = parsed(body)
    except Nonsense:
        return body[:200].decode(errors="replace")
    for name in ("error", "message"):
        told = told.get(name, told) if isinstance(told, dict) else told
    return str(told)


def _told(error: Exception) -> str:
    """Why there is no answer, without the address: clients read it."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its name is unknown"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return "it closed the connection"

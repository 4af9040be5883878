"""Answers as streams of server-sent events.

While nothing comes of an answer, a comment now and then tells proxies, and whoever else ends what
is silent, that it goes on. Clients pass over it.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, aclosing
from typing import Any

import orjson
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from functionary_sgl.api.answers import while_client_waits
from functionary_sgl.api.errors import note

KEEP_ALIVE_SECONDS = 15
"""Of silence, before a comment: the HTML standard's advice. Load balancers wait for 60, mostly."""

KEEP_ALIVE = b": keep-alive\n\n"


class EventStreamResponse(Response):
    """Server-sent events, each a line of JSON; `events`, and then what is `held` for them, is
    closed when the client leaves. Silence is filled from the beginning on if `quiet`, which says
    that it lasts already."""

    media_type = "text/event-stream"

    def __init__(
        self,
        events: AsyncGenerator[bytes, None],
        held: AsyncExitStack,
        headers: Mapping[str, str] | None = None,
        quiet: bool = False,
    ) -> None:
        self.status_code = 200
        self.background = None
        self.body = b""
        self.init_headers(
            {"cache-control": "no-cache", "x-accel-buffering": "no"} | dict(headers or {})
        )
        del self.headers["content-length"]
        self._events = events
        self._held = held
        self._quiet = quiet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with self._held:
                await while_client_waits(receive, self._send(send))
        except ClientDisconnect as error:
            note(error)

    async def _send(self, send: Send) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        if self._quiet:
            await send(_body(KEEP_ALIVE))
        told = _Silence(send)
        try:
            async with aclosing(self._events) as events:
                async for event in events:
                    await send(_body(event))
                    told.broken()
        finally:
            await told.end()
        await send(_body(b"", more=False))


class _Silence:
    """Sends a comment whenever nothing has been sent for a while."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._loop = asyncio.get_running_loop()
        self.broken()
        self._task = asyncio.ensure_future(self._fill())

    def broken(self) -> None:
        """Something was sent."""
        self._since = self._loop.time()

    async def end(self) -> None:
        """Send no more."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _fill(self) -> None:
        while True:
            left = self._since + KEEP_ALIVE_SECONDS - self._loop.time()
            if left > 0:
                await asyncio.sleep(left)
            else:
                await self._send(_body(KEEP_ALIVE))
                self.broken()


def _body(content: bytes, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": content, "more_body": more}


def event(content: Any, name: str = "") -> bytes:
    """One server-sent event, with a name if there is one."""
    named = f"event: {name}\n".encode() if name else b""
    return named + b"data: " + orjson.dumps(content) + b"\n\n"


LAST_EVENT = b"data: [DONE]\n\n"

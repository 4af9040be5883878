"""HTTP connections that cost what they may and no more.

uvicorn's httptools parser takes headers of any size and number, at a cost that grows with their
square, and waits for ever for what a client has begun to send. Both is before any key is asked for.
The bounds here are nginx's; why it is no other server is told in SECURITY.md.
"""

import asyncio
from typing import Any

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from functionary_sgl.api.limits import (
    BODY_PROGRESS_BYTES,
    BODY_SECONDS,
    HEADER_SECONDS,
    MAX_CONNECTIONS,
    MAX_HEADER_BYTES,
    MAX_HEADER_LINE_BYTES,
    MAX_HEADERS,
)
from functionary_sgl.api.recording import tell_of_refused
from functionary_sgl.api.request_id import new_request_id

LINGER_SECONDS = 2
"""How long a client may go on sending what nobody reads: who is cut off sooner does not see why."""

TOLD_WHY = 32
"""Connections beyond the bound that hear of it at a time; others are cut off."""

_LINE_ENDS = 4


class _Refused(Exception):
    """Raised to the parser, which tells uvicorn that the request cannot be read."""


class Connection(HttpToolsProtocol):
    """uvicorn's, with bounds on the size and number of headers and on the time that a request may
    take to come in, and on how many there are at once (`most`)."""

    def __init__(self, *args: Any, most: int = MAX_CONNECTIONS, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._most = most
        self._timer: asyncio.TimerHandle | None = None
        self._in_headers = True
        self._unread = 0  # bytes of headers that the parser has not told of
        self._header_bytes = 0
        self._progress = 0  # bytes of a body since the timer was set
        self._refusal: tuple[int, str] | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        more = len(self.connections) - self._most
        if more > TOLD_WHY:
            transport.abort()
        elif more > 0:
            self._refuse(503, "There are too many connections to this server; try again later.")
        else:
            self._allow(HEADER_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refusal is not None or self.transport.is_closing():
            return
        if self._timer is None and self._in_headers:
            self._allow(HEADER_SECONDS)
        self._unread += len(data)
        super().data_received(data)
        if self._in_headers and self._refusal is None and self._unread > MAX_HEADER_BYTES:
            self._refuse(431, "The headers are too large.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._header_bytes = 0

    def on_url(self, url: bytes) -> None:
        self._count(len(self.url) + len(url), "The URL is too long.", 414)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value), "A header is too large.")
        if len(self.headers) == MAX_HEADERS:
            raise self._refused(431, f"There are more than {MAX_HEADERS} headers.")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_headers = False
        self._unread = 0
        self._allow(BODY_SECONDS)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._progress += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._stop_timer()
        self._in_headers = True
        self._unread = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._in_headers and not self.transport.is_closing():
            self._allow(LINGER_SECONDS)  # the rest of a body that was refused

    def send_400_response(self, msg: str) -> None:
        self._refuse(*(self._refusal or (400, msg)))

    def _count(self, line: int, message: str, status: int = 431) -> None:
        self._header_bytes += line + _LINE_ENDS
        if line > MAX_HEADER_LINE_BYTES:
            raise self._refused(status, message)
        if self._header_bytes > MAX_HEADER_BYTES:
            raise self._refused(431, "The headers are too large.")

    def _refused(self, status: int, message: str) -> _Refused:
        self._refusal = status, message
        return _Refused(message)

    def _refuse(self, status: int, message: str) -> None:
        """Say why, unless an answer is under way, and hang up."""
        self._refusal = status, message
        self._stop_timer()
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.close()
            return
        self.transport.write(_response(status, message))
        self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _allow(self, seconds: float) -> None:
        self._stop_timer()
        self._progress = 0
        self._timer = self.loop.call_later(seconds, self._time_over)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _time_over(self) -> None:
        self._timer = None
        waiting = self.cycle is not None and not self.cycle.response_complete
        if waiting and self._progress >= BODY_PROGRESS_BYTES:
            self._allow(BODY_SECONDS)
            return
        if waiting and not self.cycle.response_started:
            self.transport.write(_response(408, "The request took too long to come in."))
        elif not waiting and self._unread:
            self._refuse(408, "The request took too long to come in.")
            return
        self.transport.close()


def _response(status: int, message: str) -> bytes:
    """A whole response in OpenAI's form, after which the connection is closed."""
    details = {"type": "invalid_request_error", "param": None, "code": None}
    body = orjson.dumps({"error": {"message": message, **details}})
    name = new_request_id()
    tell_of_refused(name, status)
    head = (
        b"content-type: application/json\r\nconnection: close\r\n"
        b"x-request-id: %s\r\ncontent-length: %d\r\n\r\n" % (name.encode(), len(body))
    )
    return STATUS_LINE[status] + head + body

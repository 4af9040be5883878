"""What a connection may cost, told by those who have no key yet."""

import contextlib
import errno
import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functionary_sgl.api import bodies, limits
from functionary_sgl.cli import connection, listener
from functionary_sgl.cli.listener import bind
from tests.formats import PROMPTERS
from tests.serving import Served, scripted_model, serving

ASK = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(scripted_model(PROMPTERS["v3.llama3"], {"turn": "all\nHello"})) as served:
        yield served


class Raw:
    """A connection to the server, without a client's good manners."""

    def __init__(self, served: Served) -> None:
        host, port, self.base = re.findall(r"//([^:]+):(\d+)(/\d+)", served.url)[0]
        self._socket = socket.create_connection((host, int(port)), timeout=20)

    def send(self, content: bytes) -> None:
        """All of it, or as much as the server reads before it hangs up."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(content)

    def request(self, headers: bytes = b"", body: bytes = b"", path: str = "/health") -> bytes:
        method = b"POST" if body else b"GET"
        line = b"%s %s%s HTTP/1.1\r\nHost: x\r\n" % (method, self.base.encode(), path.encode())
        return line + headers + b"\r\n" + body

    def answer(self) -> tuple[int, dict[str, Any]]:
        """The status and the body of one answer."""
        received = b""
        while not (found := re.search(rb"content-length: (\d+)\r\n(?:.*\r\n)*?\r\n", received)):
            received += self._more()
        while len(received) < found.end() + int(found[1]):
            received += self._more()
        body = received[found.end() : found.end() + int(found[1])]
        return int(received.split()[1]), json.loads(body)

    def rest(self) -> bytes:
        """All that comes until the server hangs up."""
        received = b""
        while piece := self._socket.recv(65536):
            received += piece
        return received

    def close(self) -> None:
        self._socket.close()

    def _more(self) -> bytes:
        piece = self._socket.recv(65536)
        assert piece, "the server hung up"
        return piece


@pytest.fixture
def raw(served: Served) -> Iterator[Callable[[], Raw]]:
    opened: list[Raw] = []

    def connect() -> Raw:
        opened.append(Raw(served))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (b"X: %s\r\n" % (b"a" * 8_000), 200),
        (b"X: %s\r\n" % (b"a" * 8_200), 431),
        (b"X: %s\r\n" % (b"a" * 2**20), 431),
        (b"%s: x\r\n" % (b"X" * 8_200), 431),
        (b"".join(b"X%d: x\r\n" % n for n in range(99)), 200),
        (b"".join(b"X%d: x\r\n" % n for n in range(100)), 431),
        (b"".join(b"X%d: x\r\n" % n for n in range(100_000)), 431),
        (b"".join(b"X%d: %s\r\n" % (n, b"a" * 8_000) for n in range(4)), 200),
        (b"".join(b"X%d: %s\r\n" % (n, b"a" * 8_000) for n in range(5)), 431),
        (b"X y\r\n", 400),
    ],
)
def test_headers_have_bounds(raw: Callable[[], Raw], headers: bytes, status: int) -> None:
    one = raw()
    one.send(one.request(headers))
    assert one.answer()[0] == status


def test_a_header_without_end_is_refused(raw: Callable[[], Raw]) -> None:
    one = raw()
    one.send(one.request()[:-2] + b"X: ")
    for _ in range(64):
        one.send(b"a" * 1_000)
    status, body = one.answer()
    assert status == 431
    assert body["error"]["type"] == "invalid_request_error"


def test_a_url_has_bounds(raw: Callable[[], Raw]) -> None:
    one = raw()
    one.send(one.request(path="/health?" + "a" * 8_000))
    assert one.answer()[0] == 200
    two = raw()
    two.send(two.request(path="/health?" + "a" * 9_000))
    assert two.answer()[0] == 414


@given(st.lists(st.integers(1, 40), max_size=30))
def test_requests_may_be_cut_anyhow(served: Served, sizes: list[int]) -> None:
    """Two on one connection, one with a body; more bytes in all than headers alone may have."""
    body = json.dumps({**ASK, "user": "x" * 40_000}).encode()
    one = Raw(served)
    try:
        length = b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body)
        content = one.request(length, body, "/v1/chat/completions")
        for size in sizes:
            one.send(content[:size])
            content = content[size:]
        one.send(content)
        status, answer = one.answer()
        assert (status, answer["choices"][0]["message"]["content"]) == (200, "Hello")
        one.send(one.request())
        assert one.answer() == (200, {"status": "ok"})
    finally:
        one.close()


@pytest.mark.parametrize("begun", [b"", b"GET", b"GET /health HTTP/1.1\r\nX: a"])
def test_who_does_not_come_to_the_end_of_the_headers_is_cut_off(
    raw: Callable[[], Raw], monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(connection, "HEADER_SECONDS", 0.2)
    monkeypatch.setattr(connection, "LINGER_SECONDS", 0.1)
    one = raw()
    one.send(begun)
    rest = one.rest()
    assert rest.startswith(b"HTTP/1.1 408") if begun else rest == b""


def test_bytes_now_and_then_do_not_make_the_time_longer(
    raw: Callable[[], Raw], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "HEADER_SECONDS", 0.3)
    monkeypatch.setattr(connection, "LINGER_SECONDS", 0.1)
    one = raw()
    one.send(one.request()[:-2])
    for _ in range(4):
        time.sleep(0.1)
        one.send(b"X: a\r\n")
    assert one.rest().startswith(b"HTTP/1.1 408")


def test_who_does_not_come_to_the_end_of_a_body_is_cut_off(
    raw: Callable[[], Raw], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "BODY_SECONDS", 0.2)
    one = raw()
    head = b"Content-Type: application/json\r\nContent-Length: 1000\r\n"
    one.send(one.request(head, b"{", "/v1/chat/completions"))
    assert one.rest().startswith(b"HTTP/1.1 408")


def test_a_large_body_on_a_slow_line_may_take_longer(
    raw: Callable[[], Raw], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "BODY_SECONDS", 2.0)
    monkeypatch.setattr(connection, "BODY_PROGRESS_BYTES", 100)
    body = json.dumps({**ASK, "user": "x" * 5_000}).encode()
    head = b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body)
    one = raw()
    one.send(one.request(head, body[:100], "/v1/chat/completions"))
    for start in range(100, len(body), 1_000):
        time.sleep(0.5)
        one.send(body[start : start + 1_000])
    assert one.answer()[0] == 200


@pytest.mark.parametrize("announced", [33 * 2**20, 10**12])
def test_a_body_that_says_it_is_too_large_is_not_read(
    raw: Callable[[], Raw], monkeypatch: pytest.MonkeyPatch, announced: int
) -> None:
    monkeypatch.setattr(connection, "LINGER_SECONDS", 0.2)
    one = raw()
    head = b"Content-Type: application/json\r\nContent-Length: %d\r\n" % announced
    one.send(one.request(head, b"{", "/v1/chat/completions"))
    status, body = one.answer()
    assert status == 413
    assert "32 MiB" in body["error"]["message"]
    assert one.rest() == b""


def test_a_body_that_is_refused_leaves_the_connection_to_the_next_request(
    raw: Callable[[], Raw],
) -> None:
    one = raw()
    head = b"Content-Type: application/json\r\nContent-Length: %d\r\n" % (33 * 2**20)
    one.send(one.request(head, b"{", "/v1/chat/completions"))
    assert one.answer()[0] == 413
    one.send(b" " * (33 * 2**20 - 1))
    one.send(one.request())
    assert one.answer()[0] == 200


def test_bodies_have_bounds_together(
    raw: Callable[[], Raw], monkeypatch: pytest.MonkeyPatch, served: Served
) -> None:
    monkeypatch.setattr(bodies._ROOM, "most", 2**20 + 100)
    text = b'{"a": "%s' % (b"x" * (2**21 - 10))
    head = b"Content-Type: application/json\r\nContent-Length: %d\r\n" % (len(text) + 10)
    holding = raw()
    holding.send(holding.request(head, text, "/v1/chat/completions"))
    end = time.monotonic() + 10
    while bodies._ROOM.taken < len(text) - limits.FREE_BODY_BYTES:
        assert time.monotonic() < end
        time.sleep(0.01)
    refused = raw()
    refused.send(refused.request(head, text, "/v1/chat/completions") + b'xxxxxxxx"}')
    assert refused.answer()[0] == 429
    # Small ones come in all the same, and what has ended holds nothing.
    assert served.http.post("/v1/chat/completions", json=ASK).status_code == 200
    holding.send(b'xxxxxxxx"}')
    assert holding.answer()[0] == 400
    assert bodies._ROOM.taken == 0


def test_who_takes_nothing_of_what_is_sent_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the kernel, whatever waits: a connection inherits it from the socket that listens."""
    monkeypatch.setattr(listener, "READ_SECONDS", 1)
    with bind("127.0.0.1", 0) as listening:
        listening.listen()
        with socket.create_connection(listening.getsockname()) as silent:
            writing, _ = listening.accept()
            writing.settimeout(30)
            with writing, pytest.raises((TimeoutError, ConnectionError)) as cut:
                writing.sendall(bytes(2**26))
            assert cut.value.errno == errno.ETIMEDOUT  # the kernel's, not that of this test
            assert silent.recv(1) == b"\0"


def test_a_body_of_too_many_values_is_refused(served: Served) -> None:
    many = json.dumps({**ASK, "zz": list(range(70_000))})
    response = served.http.post("/v1/chat/completions", content=many)
    assert response.status_code == 413
    assert "values" in response.json()["error"]["message"]


@pytest.mark.parametrize("given", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_has_to_be_said_to_be_json(served: Served, given: str) -> None:
    """A web page may have a browser send these to any server without asking it first."""
    headers = {"content-type": given}
    response = served.http.post("/v1/chat/completions", content=json.dumps(ASK), headers=headers)
    assert response.status_code == 415
    told = {"content-type": "Application/JSON; charset=utf-8"}
    response = served.http.post("/v1/chat/completions", content=json.dumps(ASK), headers=told)
    assert response.status_code == 200


def test_a_refusal_without_the_application_has_a_name_too(raw: Callable[[], Raw]) -> None:
    connection = raw()
    connection.send(connection.request(b"x: " + b"a" * 10_000 + b"\r\n"))
    assert re.search(rb"\r\nx-request-id: req_\w+\r\n", connection.rest())

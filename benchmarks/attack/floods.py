"""Attacks that must not be felt by others: each sends something, and says what came of it."""

import json
import random
import socket
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from itertools import cycle, islice
from typing import Any

import httpx

from benchmarks.attack.target import LASTING, Target
from tests import burdens, hostile

PIECE = 65_536
LONG = 1.0
"""Seconds that attacks which are over at once are kept up."""


def nothing(target: Target) -> str:
    """For comparison."""
    time.sleep(3)
    return ""


def long_text(characters: int) -> Callable[[Target], str]:
    """A message that is too long for the context, again and again."""

    def attack(target: Target) -> str:
        text = "".join(islice(cycle("The quick brown fox jumps over the lazy dog. "), characters))
        return _repeated(lambda: target.post(target.chat(text)))

    return attack


def long_prompts(target: Target) -> str:
    """Prompts of some 3,700 tokens that fit the context, and that nobody has sent before."""

    def ask() -> httpx.Response:
        dice = random.Random(time.time_ns())
        text = " ".join(dice.choice("abcdefghijk") for _ in range(2_000))
        return target.post(target.chat(text, max_tokens=1))

    return _repeated(ask)


def escapes(target: Target) -> str:
    """30 MB that are two characters each to the parser."""
    body = b'{"model": "m", "messages": [{"role": "user", "content": "%s"}]}'
    return _repeated(lambda: target.post(body % (b"\\n" * 15_000_000)))


def messages(target: Target) -> str:
    """A million of them."""
    one = b'{"role":"user","content":""},'
    body = b'{"model":"m","messages":[' + one * 1_000_000 + b"{}]}"
    return _repeated(lambda: target.post(body))


def fields(target: Target) -> str:
    """A million that nobody knows, and as many as are taken."""
    many = target.chat("Hi", **{f"f{number}": number for number in range(1_000_000)})
    few = target.chat("Hi", **{f"f{number}": number for number in range(30_000)}, max_tokens=1)
    refused = _repeated(lambda: target.post(many))
    return f"{refused}; {_repeated(lambda: target.post(few))}"


def tools(target: Target) -> str:
    """As many as are taken, none of them ever seen before."""

    def ask() -> httpx.Response:
        made = time.time_ns()
        functions = [
            {
                "type": "function",
                "function": {
                    "name": f"f{number}",
                    "parameters": {
                        "type": "object",
                        "properties": {f"p{made}_{i}": {"type": "string"} for i in range(10)},
                    },
                },
            }
            for number in range(500)
        ]
        return target.post(target.chat(tools=functions, max_tokens=1))

    return _repeated(ask)


def schemas(target: Target) -> str:
    """All that were made to cost much."""
    told: Counter[int] = Counter()
    for text in hostile.SCHEMAS.values():
        body = hostile.body(text, model=target.model)
        once = body.replace(b'"messages"', b'"max_tokens": 1, "messages"')
        told[target.post(once).status_code] += 1
    return ", ".join(f"{count} times {code}" for code, count in sorted(told.items()))


def slow_schemas(target: Target) -> str:
    """Twenty at once that take about as much work as one may, none of them ever seen before, while
    somebody else comes with new ones that are small."""
    with ThreadPoolExecutor(20) as pool:
        kinds = [partial(burdens.optional_properties, 1_200), partial(burdens.alternatives, 40)]
        schemas = [kind(f"p{time.time_ns()}_") for kind in kinds * 10]
        bodies = [hostile.body(text, model=target.model, max_tokens=1) for text in schemas]
        asked = [pool.submit(target.post, body) for body in bodies]
        longest = 0.0
        while not all(one.done() for one in asked):
            schema = json.dumps({"properties": {f"p{time.time_ns()}": {"type": "string"}}})
            body = hostile.body(schema, model=target.model, max_tokens=1)
            begin = time.perf_counter()
            target.post(body).raise_for_status()
            longest = max(longest, time.perf_counter() - begin)
        told = Counter(one.result().status_code for one in asked)
    answers = ", ".join(f"{count} times {code}" for code, count in sorted(told.items()))
    return f"{answers}; small ones at most {1e3 * longest:.0f} ms"


def header(size: int) -> Callable[[Target], str]:
    """One header of `size` bytes."""
    return lambda target: _headers(target, b"X: " + b"a" * size)


def headers(target: Target) -> str:
    """A million of them."""
    return _headers(target, b"X: a\r\n" * 1_000_000)


def half_sent(target: Target) -> str:
    """400 requests that stop in their headers, 40 bodies of 31 MiB that stop before their end."""
    head = (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: application/json\r\n"
    )
    body = b"Content-Length: 33000000\r\n\r\n" + b'{"a": "' + b"x" * 31 * 2**20
    opened = [_connected(target) for _ in range(440)]
    answers = []
    with suppress(OSError):
        for one in opened[:400]:
            one.sendall(head)

    def send(one: socket.socket) -> None:
        with suppress(OSError):
            one.sendall(head + body)
            one.settimeout(0.5)
            answers.append(one.recv(100).split()[1])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, opened[400:]))
    held = target.megabytes()
    for one in opened:
        one.close()
    return f"{answers.count(b'429')} refused, {held:.0f} MB in all"


def silent_readers(target: Target) -> str:
    """Four times two long answers with all log-probabilities, of which nobody reads a byte."""
    before = target.megabytes()
    fields = {**LASTING, "logprobs": True, "top_logprobs": 20, "n": 2}
    content = json.dumps(target.chat("much", stream=True, **fields)).encode()
    opened = [_connected(target) for _ in range(4)]
    for one in opened:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(content) + content
        )
    time.sleep(8)
    held = target.megabytes() - before
    for one in opened:
        one.close()
    return f"{held:+.0f} MB"


def leavers(target: Target) -> str:
    """100 clients of four choices that leave at any moment, two at a time."""

    def leave(number: int) -> None:
        body = target.chat("some", stream=True, n=4, **LASTING)
        url = f"{target.url}/v1/chat/completions"
        with suppress(httpx.HTTPError), httpx.stream("POST", url, json=body, timeout=30) as answer:
            for _, _ in zip(range(number % 7), answer.iter_lines(), strict=False):
                pass

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(leave, range(100)))
    return "left"


def _repeated(ask: Callable[[], httpx.Response]) -> str:
    """Ask for a while; which statuses came how often."""
    told: Counter[int] = Counter()
    end = time.monotonic() + LONG
    while not told or time.monotonic() < end:
        told[ask().status_code] += 1
    return ", ".join(f"{count} times {code}" for code, count in sorted(told.items()))


def _headers(target: Target, content: bytes) -> str:
    with closing(_connected(target)) as one:
        with suppress(OSError):
            one.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n")
            for start in range(0, len(content), PIECE):
                one.sendall(content[start : start + PIECE])
        with suppress(OSError):
            answer: Any = one.recv(200).split()
            return str(answer[1].decode()) if answer else "cut off"
    return "cut off"


def _connected(target: Target) -> socket.socket:
    return socket.create_connection((target.host, target.port), timeout=20)

"""Hostile schemas against a running server: how fast each is answered, and what else suffers.

    python -m benchmarks.gate [--alone] [--schemas 10000] [flags of the server]

Starts the server, as a rule with the embedded model, and prints a table in Markdown: for each
schema the answer, its time, the processor time of all processes meanwhile (that of the stream too,
in steps of 10 ms), the memory of all processes afterwards, and the pace of another stream
meanwhile (its longest pause). Then so many different small schemas, one after another, with the
memory of each process in between. With `--alone` there is no other stream.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import suppress
from typing import Any

import httpx
import psutil

from tests import hostile

MODEL = "functionary-nano"
CALL = {"tool_choice": {"type": "function", "function": {"name": "f"}}, "max_tokens": 1}

# Parts of the server, by what their processes call themselves.
_PARTS = ("scheduler", "detokenizer", "sandbox", "server")

PLAIN = '{"properties": {"a": {"type": "string"}}}'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schemas", type=int, default=10_000)
    parser.add_argument("--alone", action="store_true")
    options, flags = parser.parse_known_args()
    command = [sys.executable, "-m", "functionary_sgl", "serve", "--port", "0", *flags]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    lines = [server.stdout.readline() for _ in range(4)]
    url = lines[2].split()[-1]
    print(f"{os.cpu_count()} cores\n")
    try:
        asyncio.run(_measure(url, server.pid, options))
    finally:
        server.terminate()
        server.wait()


async def _measure(url: str, pid: int, options: argparse.Namespace) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        await _ask(client, '{"properties": {"b": {}}}')
        await _hostile(client, pid, options.alone)
        await _many(client, pid, options.schemas)


async def _ask(client: httpx.AsyncClient, schema: str) -> tuple[int, float]:
    """The status of the answer and its time in milliseconds."""
    content = hostile.body(schema, model=MODEL, **CALL)
    begin = time.perf_counter()
    headers = {"content-type": "application/json"}
    response = await client.post("/chat/completions", content=content, headers=headers)
    return response.status_code, (time.perf_counter() - begin) * 1e3


class _Pace:
    """A stream that goes on for as long as it is needed; `longest` pause in milliseconds."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.longest = 0.0

    async def run(self) -> None:
        body = {
            "model": MODEL,
            "messages": [{"role": "user", "content": "Hi"}],
            "stream": True,
            "max_tokens": 2_000,
        }
        while True:
            async with self._client.stream("POST", "/chat/completions", json=body) as response:
                last = None
                async for _ in response.aiter_raw():
                    now = time.perf_counter()
                    if last is not None:
                        self.longest = max(self.longest, (now - last) * 1e3)
                    last = now


async def _hostile(client: httpx.AsyncClient, pid: int, alone: bool) -> None:
    columns = "answer", "ms", "of processors", "longest pause of a stream, ms", "memory, MB"
    _row("schema", *columns)
    _row(*["---"] * 6)
    pace = _Pace(client)
    stream = asyncio.create_task(asyncio.sleep(0) if alone else pace.run())
    await asyncio.sleep(3)
    _row("none, for 3 s", "", "", "", f"{pace.longest:.0f}", f"{_memory(pid):.0f}")
    for name, schema in {"a plain schema": PLAIN, **hostile.SCHEMAS}.items():
        await asyncio.sleep(0.2)
        pace.longest = 0.0
        before = _processor(pid)
        status, taken = await _ask(client, schema)
        used = _processor(pid) - before
        await asyncio.sleep(0.2)
        figures = taken, used, pace.longest, _memory(pid)
        _row(name, status, *(f"{figure:.0f}" for figure in figures))
    stream.cancel()
    with suppress(asyncio.CancelledError):
        await stream


async def _many(client: httpx.AsyncClient, pid: int, schemas: int) -> None:
    print()
    _row("schemas so far", "mean ms", *(f"{part}, MB" for part in _PARTS), "all, MB")
    _row(*["---"] * (3 + len(_PARTS)))
    begin = time.perf_counter()
    for number in range(schemas + 1 if schemas else 0):
        if number % max(1, schemas // 10) == 0:
            taken = (time.perf_counter() - begin) * 1e3 / max(1, schemas // 10)
            parts = _memory_of_parts(pid)
            memory = *(parts[part] for part in _PARTS), sum(parts.values())
            _row(number, f"{taken:.0f}" if number else "", *(f"{part:.0f}" for part in memory))
            begin = time.perf_counter()
        await _ask(client, json.dumps(_small(number)))


def _small(number: int) -> dict[str, Any]:
    properties = {
        f"name_{number}": {"type": "string", "minLength": 1},
        "kind": {"enum": [f"kind {number + i}" for i in range(20)]},
        "size": {"type": "integer", "minimum": number},
    }
    return {"type": "object", "properties": properties, "required": ["kind"]}


def _memory(pid: int) -> float:
    """What the server and all its processes have to themselves, in MB."""
    return sum(_memory_of_parts(pid).values())


def _memory_of_parts(pid: int) -> dict[str, float]:
    """The same for each of `_PARTS`; what is none of them counts as the server's own."""
    found: dict[str, float] = defaultdict(float)
    for process in _processes(pid):
        with suppress(psutil.NoSuchProcess):
            called = " ".join(process.cmdline())
            part = next((part for part in _PARTS if part in called), "server")
            found[part] += process.memory_full_info().uss / 1e6
    return found


def _processor(pid: int) -> float:
    """What the server, all its processes and those that ended have used, in milliseconds."""
    total = 0.0
    for process in _processes(pid):
        with suppress(psutil.NoSuchProcess):
            used = process.cpu_times()
            total += used.user + used.system + used.children_user + used.children_system
    return total * 1e3


def _processes(pid: int) -> list[psutil.Process]:
    server = psutil.Process(pid)
    return [server, *server.children(recursive=True)]


def _row(*cells: object) -> None:
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


if __name__ == "__main__":
    main()

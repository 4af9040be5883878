"""How others fare meanwhile: a process of its own that asks a server and reads a stream.

    python -m benchmarks.attack.probe URL MODEL TEXT FIELDS

It asks `GET /health` every 20 ms and reads endless streams. For each line on its input it prints
the longest wait for an answer and the longest gap in a stream since the line before, in
milliseconds. The end of its input ends it.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx

INTERVAL = 0.02
SECONDS = 60


class Longest:
    """The longest wait since it was last asked, one that goes on included."""

    def __init__(self) -> None:
        self._longest = 0.0
        self._since: float | None = None

    def begin(self) -> None:
        self._since = time.perf_counter()

    def end(self) -> None:
        assert self._since is not None
        self._longest = max(self._longest, time.perf_counter() - self._since)
        self._since = None

    def reset(self) -> float:
        """Milliseconds."""
        now = time.perf_counter()
        found = max(self._longest, 0.0 if self._since is None else now - self._since)
        self._longest = 0.0
        if self._since is not None:
            self._since = now
        return 1000 * found


async def ask_health(url: str, waited: Longest) -> None:
    async with httpx.AsyncClient(timeout=SECONDS) as client:
        while True:
            waited.begin()
            (await client.get(f"{url}/health")).raise_for_status()
            waited.end()
            await asyncio.sleep(INTERVAL)


async def read_streams(url: str, body: dict[str, Any], gap: Longest) -> None:
    async with httpx.AsyncClient(timeout=SECONDS) as client:
        while True:
            request = client.stream("POST", f"{url}/v1/chat/completions", json=body)
            async with request as response:
                response.raise_for_status()
                lines = response.aiter_lines()
                await anext(lines)  # before the first token there is no gap
                gap.begin()
                async for _ in lines:
                    gap.end()
                    gap.begin()
            gap.end()


async def _input() -> AsyncIterator[str]:
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    while line := await reader.readline():
        yield line.decode()


async def main(url: str, model: str, text: str, fields: str) -> None:
    waited, gap = Longest(), Longest()
    body = {"model": model, "messages": [{"role": "user", "content": text}], "stream": True}
    tasks = [
        asyncio.ensure_future(ask_health(url, waited)),
        asyncio.ensure_future(read_streams(url, body | json.loads(fields), gap)),
    ]
    async for _ in _input():
        for task in tasks:
            if task.done():
                task.result()
        print(json.dumps([waited.reset(), gap.reset()]), flush=True)
    for task in tasks:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

"""A thousand streamed answers at once, of a server whose engine replays them slowly.

    python -m benchmarks.streams [--streams 1000] [--per-second 4] [--seconds 40] [--opening 10]

The server is started as users start it, and read by an async client, whose streams begin one after
the other. What it holds is looked at while all of them go on, from when the last has begun until
the first ends; another process asks `/health` every 20 ms. Exit code 1 if an answer is not the
script's, or if what the server holds grows while nothing but tokens comes.
"""

import argparse
import asyncio
import json
import multiprocessing
import random
import resource
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

import aiohttp
import httpx
import psutil

from benchmarks.attack.target import Target, elsewhere
from functionary_sgl.prompt import checkpoint

KINDS = 10
"""Different answers: what comes to the wrong client is seen."""

INTERVAL = 0.02
GROWTH_MB = 20
"""Memory that may have come while nothing but tokens did: allocators do not give all back."""

GROWTH = 8
"""The same for threads and descriptors: a pool is filled as it is needed."""


@dataclass
class Held:
    """What the server's process has at one time. `cpu`: seconds so far; `tokens` as clients have
    counted them."""

    megabytes: float
    threads: int
    descriptors: int
    cpu: float
    time: float
    tokens: int


@dataclass
class Figures:
    """What came of so many streams. `whole`: answers that were the script's; `held`: with all of
    them; `health`: when it was asked, and the milliseconds that it took."""

    streams: int
    before: Held
    whole: int = 0
    held: list[Held] = field(default_factory=list)
    health: list[tuple[float, float]] = field(default_factory=list)

    @property
    def first(self) -> Held:
        return self.held[0]

    @property
    def last(self) -> Held:
        return self.held[-1]

    def told(self) -> dict[str, float]:
        """By name."""
        before, first, last = self.before, self.first, self.last
        tokens, cpu = last.tokens - first.tokens, last.cpu - first.cpu
        seconds = last.time - first.time
        opening = sorted(took for begun, took in self.health if begun < first.time)
        waits = sorted(took for begun, took in self.health if first.time <= begun <= last.time)
        return {
            "answers that are the script's": self.whole,
            "seconds with all streams": seconds,
            "tokens per second": tokens / seconds,
            "processor ms per token": 1e3 * cpu / tokens,
            "share of one core": cpu / seconds,
            "memory per stream (kB)": 1e3 * (first.megabytes - before.megabytes) / self.streams,
            "memory before (MB)": before.megabytes,
            "memory with all streams (MB)": first.megabytes,
            "memory at their end (MB)": last.megabytes,
            "threads before": before.threads,
            "threads with all streams": first.threads,
            "threads at their end": last.threads,
            "descriptors before": before.descriptors,
            "descriptors with all streams": first.descriptors,
            "descriptors at their end": last.descriptors,
            "/health p50 (ms)": waits[len(waits) // 2],
            "/health p99 (ms)": waits[int(0.99 * len(waits))],
            "/health max (ms)": waits[-1],
            "/health p99 while they open (ms)": opening[int(0.99 * len(opening))],
        }

    def is_flat(self) -> bool:
        """Whether nothing grew while nothing but tokens came."""
        first, last = self.first, self.last
        return (
            last.megabytes - first.megabytes <= GROWTH_MB
            and last.threads - first.threads <= GROWTH
            and last.descriptors - first.descriptors <= GROWTH
        )


class Clients:
    """As many as there are streams, which begin evenly within `opening` seconds and read to the
    end."""

    def __init__(self, target: Target, streams: int, texts: list[str], opening: float) -> None:
        self._target = target
        self._texts = texts
        self._opening = opening
        self._process = psutil.Process(target.process.pid)
        self._begun = self._ended = self._tokens = 0
        self.figures = Figures(streams, self._held())

    async def run(self) -> None:
        streams = range(self.figures.streams)
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(
            self._target.url, connector=connector, timeout=aiohttp.ClientTimeout(None)
        ) as session:
            reading = asyncio.gather(*(self._read(session, number) for number in streams))
            while not reading.done():
                if self._begun == len(streams) and not self._ended:
                    self.figures.held.append(self._held())
                await asyncio.sleep(0.5)
            await reading

    async def _read(self, session: aiohttp.ClientSession, number: int) -> None:
        body = self._target.chat(f"Tell story {number % KINDS}.", stream=True)
        told: list[str] = []
        last = b""
        await asyncio.sleep(number * self._opening / self.figures.streams)
        async with session.post("/v1/chat/completions", json=body) as response:
            response.raise_for_status()
            async for line in response.content:
                if line.startswith(b"data: {"):
                    self._begun += not told
                    (choice,) = json.loads(line[6:])["choices"]
                    told.append(choice["delta"].get("content", ""))
                    self._tokens += 1
                last = line.strip() or last
        self._ended += 1
        whole = "".join(told) == self._texts[number % KINDS] and last == b"data: [DONE]"
        self.figures.whole += whole

    def _held(self) -> Held:
        with self._process.oneshot():
            times = self._process.cpu_times()
            return Held(
                self._process.memory_info().rss / 1e6,
                self._process.num_threads(),
                self._process.num_fds(),
                times.user + times.system,
                time.monotonic(),
                self._tokens,
            )


def ask_health(url: str, told: Connection) -> None:
    """Say so when it has answered once; then ask until something comes from `told`, and send when
    that was, and the milliseconds that each answer took."""
    waits = []
    with httpx.Client(timeout=60) as client:
        client.get(f"{url}/health").raise_for_status()
        told.send("ready")
        while not told.poll(INTERVAL):
            begun = time.monotonic()
            client.get(f"{url}/health").raise_for_status()
            waits.append((begun, 1e3 * (time.monotonic() - begun)))
    told.send(waits)


def texts(tokens: int) -> list[str]:
    """Answers of so many tokens, each of which is told as soon as it comes: white space waits for
    what follows it."""
    tokenizer = checkpoint.load(str(checkpoint.EMBEDDED)).tokenizer
    spelled = [
        tokenizer.token_bytes(token_id).decode(errors="replace")
        for token_id in range(tokenizer.size)
    ]
    words = [word for word in spelled if word.startswith(" ") and word[1:].isalpha()]
    return ["".join(random.Random(kind).choices(words, k=tokens)).strip() for kind in range(KINDS)]


def measure(streams: int, per_second: float, seconds: float, opening: float) -> Figures:
    """The figures of so many streams that begin within `opening` seconds, with so many tokens per
    second, each for so many seconds."""
    answers = texts(round(per_second * seconds))
    replies = [
        {"match": f"story {kind}.", "turn": f"all\n{text}", "delay": 1 / per_second}
        for kind, text in enumerate(answers)
    ]
    here, there = multiprocessing.Pipe()
    most = f"--max-connections={streams + GROWTH}"
    with closing(Target("scripted", most, replies=replies)) as target:
        # What is there once is no stream's.
        target.post(target.chat("Tell story 0.", max_tokens=1)).raise_for_status()
        asking = multiprocessing.get_context("spawn").Process(
            target=ask_health, args=(target.url, there), daemon=True
        )
        asking.start()
        here.recv()
        clients = Clients(target, streams, answers, opening)
        try:
            elsewhere(lambda: asyncio.run(clients.run()))
        finally:
            here.send("over")
        clients.figures.health = here.recv()
        asking.join()
    return clients.figures


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--streams", type=int, default=1_000)
    parser.add_argument("--per-second", type=float, default=4, help="tokens of each stream")
    parser.add_argument("--seconds", type=float, default=40, help="how long each goes on")
    parser.add_argument(
        "--opening", type=float, default=10, help="in which so many seconds all begin"
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args(argv)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    figures = measure(options.streams, options.per_second, options.seconds, options.opening)
    if len(figures.held) < 2:
        sys.exit("The first stream ended when the last had just begun: give more --seconds.")
    if options.json:
        print(json.dumps(figures.told()))
    else:
        print(f"{options.streams} streams, each {options.per_second:g} tokens per second")
        for name, value in figures.told().items():
            print(f"  {name:32}{value:10,.2f}".removesuffix(".00"))
    return 0 if figures.whole == options.streams and figures.is_flat() else 1


if __name__ == "__main__":
    sys.exit(main())

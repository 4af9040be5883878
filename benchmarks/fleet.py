"""What a server and its router cost before so many engines, and what is found in caches.

    python -m benchmarks.fleet [--engines 1 10 100] [--families 40] [--agents 4]

Server and router are the real ones. The engines have no model: they answer by a script, at once,
and each remembers the prompts that it has read, as a prefix cache of so many tokens does. A family
of agents has a set of tools; each agent carries on a loop of six turns with a call in each. What is
told is processor time, without that of engines. `found`: of the tokens of prompts that their
conversations had before, the share that was in the cache of the engine that was asked. `busiest`:
how often the engine that was asked most was asked, against the mean.
"""

import argparse
import asyncio
import logging
import multiprocessing
import sys
import tempfile
import threading
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

from functionary_sgl.prompt import checkpoint, detect
from functionary_sgl.prompt.prompter import Prompter
from tests.engine.elsewhere import Server
from tests.engines.remote.engine_server import EngineServer
from tests.loops import Client, Step, posting, turns

CALL = {"turn": 'find\n{"city": "Rome"}', "chunk": 2}
LOOP = (Step("What is it like there?", calls=1), *[Step(calls=1)] * 5)
FIELDS = {"model": "functionary-nano", "max_tokens": 64, "temperature": 0}

BLOCK = 16
"""Ids that a cache holds or does not hold together; the figures do not hang on it."""

CACHED_TOKENS = 400_000
"""Of each engine: an 8B model's on 80 GB."""

PER_PROCESS = 100
"""Engines in one process: what they take is not measured."""

AT_ONCE = 32


class Engine(EngineServer):
    """One with a cache of the prompts that it was asked."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._blocks: OrderedDict[int, None] = OrderedDict()
        super().__init__(*arguments, **options)

    def cached(self, body: dict[str, Any]) -> int:
        ids, found, key, whole = body["input_ids"], 0, 0, True
        for start in range(0, len(ids) - BLOCK + 1, BLOCK):
            key = hash((key, *ids[start : start + BLOCK]))
            whole = whole and key in self._blocks
            found += BLOCK * whole
            self._blocks[key] = None
            self._blocks.move_to_end(key)
        while len(self._blocks) > CACHED_TOKENS // BLOCK:
            self._blocks.popitem(last=False)
        return found


@dataclass
class Figures:
    """Of a run: milliseconds of processor time for each turn, and megabytes at its end."""

    engines: int
    turns: int
    found: float
    server: float
    router: float
    router_memory: float
    busiest: float
    seconds: float


def engines(count: int, pipe: Connection) -> None:
    """So many, in this process; their addresses go into `pipe`, and how many each was asked, as
    often as True comes out of it."""
    # The router tries whether they speak HTTP/2, of which each would complain.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    loaded = checkpoint.load(str(checkpoint.EMBEDDED))
    prompter = Prompter(detect.detect(loaded).format, loaded.tokenizer, loaded.template)
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    started = [Engine(prompter.tokenizer, CALL, loop=loop) for _ in range(count)]
    pipe.send([engine.url for engine in started])
    while pipe.recv():
        pipe.send([len(engine.bodies) for engine in started])


@contextmanager
def elsewhere(count: int) -> Any:
    """`count` engines in processes of their own: their addresses, and what asks for their loads."""
    context = multiprocessing.get_context("spawn")
    pipes, urls = [], []
    with ExitStack() as ended:
        for first in range(0, count, PER_PROCESS):
            ours, theirs = context.Pipe()
            size = min(PER_PROCESS, count - first)
            process = context.Process(target=engines, args=(size, theirs), daemon=True)
            process.start()
            ended.callback(process.join)
            ended.callback(ours.send, False)
            pipes.append(ours)
            urls += ours.recv()

        def asked() -> list[int]:
            for pipe in pipes:
                pipe.send(True)
            return [number for pipe in pipes for number in pipe.recv()]

        yield urls, asked


def tools(family: int) -> list[dict[str, Any]]:
    """A set of tools that differs from others from its first words on."""
    words = " ".join(f"{family * 31 + number} things of the kind {number}." for number in range(60))
    city = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    function = {"name": "find", "description": f"Finds {words}", "parameters": city}
    return [{"type": "function", "function": function}]


def carried(server: Server, family: int) -> tuple[int, int, int]:
    """The loop of one agent: turns, and tokens known from its turn before and of these cached."""
    number = known = cached = 0
    post = posting(server.http, stream=True)
    client = Client(fields=FIELDS)
    for turn in turns(post, client, tools(family), LOOP, system=f"You are of family {family}."):
        (call,) = turn.message["tool_calls"]
        assert call["function"]["arguments"] == '{"city": "Rome"}', call
        number += 1
        known += turn.known
        cached += min(turn.cached, turn.known)
    return number, known, cached


def cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def measured(count: int, families: int, agents: int, log: Path) -> Figures:
    """A run with so many engines."""
    with elsewhere(count) as (urls, asked), closing(_Served(urls, log)) as served:
        carried(served.server, -1)  # what is loaded when it is first needed
        own, router = served.processes()
        before, began = (cpu(own), cpu(router)), time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            jobs = [family for _ in range(agents) for family in range(families)]
            found = list(pool.map(lambda family: carried(served.server, family), jobs))
        took = time.monotonic() - began
        number, known, cached = (sum(column) for column in zip(*found, strict=True))
        loads = asked()
        return Figures(
            engines=count,
            turns=number,
            found=cached / known,
            server=1000 * (cpu(own) - before[0]) / number,
            router=1000 * (cpu(router) - before[1]) / number,
            router_memory=router.memory_info().rss / 2**20,
            busiest=max(loads) * count / sum(loads),
            seconds=took,
        )


class _Served:
    """A server with its router, also before a single engine."""

    def __init__(self, urls: list[str], log: Path) -> None:
        # Two addresses of one engine are two to the router, and one cache.
        urls = urls if len(urls) > 1 else [urls[0], urls[0].replace("127.0.0.1", "localhost")]
        self.server = Server(log, urls, "--request-log=off", "--turn-grammars=off")

    def processes(self) -> tuple[psutil.Process, psutil.Process]:
        """That of the server, and that of the router."""
        own = psutil.Process(self.server.process.pid)
        (router,) = [child for child in own.children() if "router" in " ".join(child.cmdline())]
        return own, router

    def close(self) -> None:
        self.server.end()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--engines", type=int, nargs="+", default=[1, 10, 50, 100, 200, 300])
    add("--families", type=int, default=40)
    add("--agents", type=int, default=4)
    options = parser.parse_args()
    print(
        "engines  turns  found  busiest  server ms/turn  router ms/turn  router MiB  turns/s",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as directory:
        for count in options.engines:
            log = Path(directory) / f"{count}.log"
            got = measured(count, options.families, options.agents, log)
            print(
                f"{got.engines:7}  {got.turns:5}  {got.found:5.3f}  {got.busiest:7.1f}  "
                f"{got.server:14.2f}  {got.router:14.2f}  {got.router_memory:10.0f}  "
                f"{got.turns / got.seconds:7.1f}",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())

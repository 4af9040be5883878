"""The guarantee, measured: random requests with tools to a running server.

    python -m benchmarks.guarantee [--cases N] [--seconds S] [--base-url URL] [--json]

Each request is asked twice, whole and streamed, at temperature 1. All calls have to name an offered
function and their arguments have to follow its schema; whether they do is checked by jsonschema,
not by what constrained them. Without --base-url a server is started on the embedded model; flags
that are not known here are for it.

Where the server draws by the request's seed, each pair of answers has to be equal; where it does
not (which is found out first), every tenth request is asked twice more at temperature 0 instead.

Exit code 1 if anything falls short of the guarantee.
"""

import argparse
import asyncio
import contextlib
import json
import math
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx
from tqdm import tqdm

from benchmarks.judge import judge
from benchmarks.random_requests import request as random_request
from functionary_sgl.api.chat.fold import Fold

LAUNCHER = Path(__file__).parent.parent / "server_sglang.py"
# In float32 no two tokens tie, and a batch's size does not tip what is likeliest.
SERVER_FLAGS = ("--port", "0", "--dtype", "float32")
EXAMPLES = 5


@dataclass
class Tally:
    """What was counted, and the first few things that went wrong, in words."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def complain(self, kind: str, what: str) -> None:
        self.counts[kind] += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(f"{kind}: {what}")


class Asker:
    """Asks and judges; every answer goes into `tally`."""

    def __init__(self, client: httpx.AsyncClient, tally: Tally) -> None:
        self._client = client
        self.tally = tally

    async def ask(self, request: dict[str, Any], stream: bool) -> dict[str, Any] | None:
        """The answer's choice, without ids of calls; None where there is no answer."""
        response = await self._client.post("chat/completions", json=request | {"stream": stream})
        failure = self._failure(response)
        if failure is not None:
            self.tally.complain(failure, response.text[-500:])
            return None
        choice = _folded(response.text) if stream else response.json()["choices"][0]
        for call in choice["message"].get("tool_calls", ()):
            del call["id"]
        self._count(request, choice)
        return choice

    def _failure(self, response: httpx.Response) -> str | None:
        if response.status_code < 400:
            return "server errors" if '\ndata: {"error"' in response.text else None
        return "refused" if response.status_code < 500 else "server errors"

    def _count(self, request: dict[str, Any], choice: dict[str, Any]) -> None:
        verdict = judge(request, choice)
        counts = self.tally.counts
        counts["answers"] += 1
        for name in ("calls", "offered", "valid", "unfinished", "cut"):
            counts[name] += getattr(verdict, name)
        for complaint in verdict.complaints:
            self.tally.complain("complaints", f"{complaint}\n    {json.dumps(request)}")

    async def pair(self, request: dict[str, Any], compare: bool) -> None:
        """Whole and streamed, compared if they should be equal."""
        whole = await self.ask(request, stream=False)
        streamed = await self.ask(request, stream=True)
        if not compare or whole is None or streamed is None:
            return
        self.tally.counts["compared"] += 1
        if whole == streamed:
            self.tally.counts["equal"] += 1
        else:
            self.tally.complain("unequal", f"{whole}\n    {streamed}\n    {json.dumps(request)}")


def _folded(stream: str) -> dict[str, Any]:
    fold = Fold()
    for event in stream.split("\n\n"):
        if event and event != "data: [DONE]":
            fold.add(json.loads(event.removeprefix("data: ")))
    choice: dict[str, Any] = fold.completion()["choices"][0]
    return choice


async def draws_by_seed(client: httpx.AsyncClient, model: str) -> bool:
    """Whether the same request with the same seed gets the same answer, five times out of five."""
    word = {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}
    request = {
        "model": model,
        "messages": [{"role": "user", "content": "Say something."}],
        "tools": [{"type": "function", "function": {"name": "say", "parameters": word}}],
        "tool_choice": "required",
        "temperature": 1,
        "seed": 1,
        "max_tokens": 40,
    }
    asker = Asker(client, Tally())
    answers = [await asker.ask(request, stream=False) for _ in range(5)]
    return answers[0] is not None and all(answer == answers[0] for answer in answers)


async def measure(
    base_url: str, cases: int, seed: int, concurrency: int, seconds: float
) -> dict[str, Any]:
    """The figures, by name; `base_url` ends with `/v1`. After `seconds` no further case begins."""
    tally = Tally()
    limits = httpx.Limits(max_connections=concurrency)
    async with httpx.AsyncClient(base_url=base_url, timeout=300, limits=limits) as client:
        model = (await client.get("models")).json()["data"][0]["id"]
        seeded = await draws_by_seed(client, model)
        requests = iter(random_request(Random(f"{seed} {n}"), model) for n in range(cases))
        asker, begin = Asker(client, tally), time.perf_counter()
        with tqdm(total=cases, unit="case", smoothing=0.1) as bar:
            numbered = enumerate(requests)

            async def work() -> None:
                for number, request in numbered:
                    if time.perf_counter() - begin > seconds:
                        return
                    await asker.pair(request, compare=seeded)
                    if not seeded and number % 10 == 0:
                        await asker.pair(request | {"temperature": 0}, compare=True)
                    tally.counts["cases"] += 1
                    bar.update()

            await asyncio.gather(*(work() for _ in range(concurrency)))
    return {
        "model": model,
        "cases": tally.counts["cases"],
        "seed": seed,
        "draws_by_seed": seeded,
        "seconds": round(time.perf_counter() - begin, 1),
        **{name: tally.counts[name] for name in COUNTED},
        "examples": tally.examples,
    }


COUNTED = {
    "answers": "answers (each request whole and streamed)",
    "server errors": "  server errors",
    "refused": "  requests refused",
    "cut": "  cut by max_tokens",
    "calls": "calls",
    "offered": "  names offered",
    "unfinished": "  arguments cut by max_tokens",
    "valid": "  arguments valid, of all others",
    "complaints": "broken promises (names, arguments, choices, reasons)",
    "compared": "pairs of answers compared",
    "equal": "  streamed equal to whole",
}


def table(figures: dict[str, Any]) -> str:
    """The figures, for people."""
    lines = [
        f"{figures['model']}: {figures['cases']:,} random requests (seed {figures['seed']}) "
        f"at temperature 1, {figures['seconds']:.0f} s"
    ]
    shares = {
        "offered": figures["calls"],
        "valid": figures["calls"] - figures["unfinished"],
        "equal": figures["compared"],
    }
    for name, label in COUNTED.items():
        share = f"  {figures[name] / shares[name]:8.2%}" if shares.get(name) else ""
        lines.append(f"  {label:54}{figures[name]:8,}{share}")
    if not figures["draws_by_seed"]:
        lines.append("  The server does not draw by the seed: compared at temperature 0.")
    return "\n".join([*lines, *figures["examples"]])


def holds(figures: dict[str, Any]) -> bool:
    """Whether the guarantee was kept."""
    broken = figures["server errors"] + figures["complaints"]
    return not broken and figures["calls"] > 0 and figures["equal"] == figures["compared"]


@contextlib.contextmanager
def running_server(flags: list[str], launcher: Path = LAUNCHER) -> Iterator[str]:
    """The base URL of a server that is started, and stopped at the end."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, str(launcher), *SERVER_FLAGS, *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stdout is not None
        banner = [server.stdout.readline() for _ in range(4)]
        try:
            if not banner[2]:
                sys.exit("the server did not start")
            yield banner[2].split()[-1]
        finally:
            server.terminate()


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1, help="of the random requests")
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--base-url", help="of a running server, ending with /v1")
    parser.add_argument("--seconds", type=float, default=math.inf, help="begin no case after them")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options, flags = parser.parse_known_args(argv)
    if options.base_url and flags:
        parser.error(f"flags for a server that is not started here: {' '.join(flags)}")
    with contextlib.ExitStack() as stack:
        url = options.base_url or stack.enter_context(running_server(flags))
        limits = options.concurrency, options.seconds
        figures = asyncio.run(measure(url, options.cases, options.seed, *limits))
    print(json.dumps(figures, indent=2) if options.json else table(figures))
    return 0 if holds(figures) else 1


if __name__ == "__main__":
    sys.exit(main())

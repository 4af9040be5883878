"""Clients that leave at random moments: how soon the engine has let go of all that they asked for.

    python -m benchmarks.leavers [--clients 200] [--seconds 4] [--rounds 5] [--json]

Each asks for an answer that would go on for thousands of tokens, streamed or whole, and closes its
connection at any moment of so many seconds. From when the last has left, `/metrics` is asked until
no turn runs or waits, and the engine has no request and no token in use. Exit code 1 if that takes
longer than two seconds. Flags that are not known here are for the server.
"""

import argparse
import asyncio
import json
import sys
import time
from contextlib import closing
from dataclasses import asdict, dataclass, field
from random import Random

import aiohttp

from benchmarks.attack.target import LASTING, Target, elsewhere
from benchmarks.soak.subject import Subject

MOST_SECONDS = 2.0
"""Until all is free again."""

LOOK_SECONDS = 0.25


@dataclass
class Round:
    """What came of it: the most turns that ran and waited, and the most tokens in use, while
    clients were there; answers that were whole before their client left; seconds from the last
    leaving until all was free, and what was not."""

    clients: int
    running: int = 0
    waiting: int = 0
    tokens: int = 0
    answered: int = 0
    seconds: float = 0.0
    held: dict[str, float] = field(default_factory=dict)

    @property
    def is_free(self) -> bool:
        return not self.held and self.seconds <= MOST_SECONDS


async def _leave(
    session: aiohttp.ClientSession, subject: Subject, dice: Random, most: float
) -> bool:
    """Ask, and leave; whether an answer came before that."""
    messages = [{"role": "user", "content": f"Tell me story {dice.randrange(1_000)}."}]
    body = {"model": subject.model, "messages": messages, "stream": dice.random() < 0.7, **LASTING}
    try:
        async with asyncio.timeout(most * dice.random()):
            async with session.post("/v1/chat/completions", json=body) as response:
                await response.read()
        return True
    except TimeoutError:
        return False


async def _look(subject: Subject, seen: Round) -> None:
    while True:
        now = await asyncio.to_thread(subject.counted)
        seen.running = max(seen.running, int(now["functionary_turns_running"]))
        seen.waiting = max(seen.waiting, int(now["functionary_turns_waiting"]))
        seen.tokens = max(seen.tokens, int(now["functionary_engine_tokens_used"]))
        await asyncio.sleep(LOOK_SECONDS)


async def _all(subject: Subject, seen: Round, dice: Random, most: float) -> float:
    """Have all come and go; when the last has left."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(subject.url, connector=connector) as session:
        looking = asyncio.create_task(_look(subject, seen))
        each = [Random(dice.random()) for _ in range(seen.clients)]
        left = await asyncio.gather(*(_leave(session, subject, one, most) for one in each))
        looking.cancel()
    seen.answered = sum(left)
    return time.monotonic()


def measure(subject: Subject, clients: int = 200, seconds: float = 4.0, seed: int = 0) -> Round:
    """Of so many clients that leave within so many seconds."""
    seen = Round(clients)
    since = elsewhere(lambda: asyncio.run(_all(subject, seen, Random(seed), seconds)))
    seen.seconds, seen.held = subject.rested(since)
    return seen


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print each round as JSON")
    options, flags = parser.parse_known_args(argv)
    free = True
    with closing(Target("sglang", *flags)) as target:
        subject = Subject(target.url, target.model, target.process.pid, target.log_file)
        for number in range(options.rounds):
            seen = measure(subject, options.clients, options.seconds, number)
            free = free and seen.is_free
            told = (
                f"{seen.clients} clients, of which {seen.running} ran at once and {seen.waiting} "
                f"waited; {seen.tokens:,} tokens in use, all free {seen.seconds:.2f} s after the "
                f"last had left {seen.held or ''}"
            )
            print(json.dumps(asdict(seen)) if options.json else told, flush=True)
    return 0 if free else 1


if __name__ == "__main__":
    sys.exit(main())

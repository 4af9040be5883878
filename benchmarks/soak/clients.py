"""Clients of all kinds, which ask one after the other until their time is over.

Each kind is a function: it asks with what the dice say, and tells the tally what became of it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import aiohttp

from benchmarks import random_requests
from benchmarks.attack.target import LASTING
from benchmarks.serving.workloads import WORKLOADS
from benchmarks.soak.answers import Lost, Tally, ask
from benchmarks.soak.subject import Subject
from functionary_sgl.prompt.checkpoint import EMBEDDED
from tests import hostile

ADAPTER = "soak-pirate"
PIRATE = EMBEDDED.parent / "nano-pirate"
CLIENTS = 12
ANSWER_SECONDS = 120
"""Longer than any answer takes: beyond it, it is lost."""

SCHEMA_CODES = ("invalid_function_parameters", "context_length_exceeded", None)
"""Of refusals of hostile schemas; None is that of bodies that cannot be read, or are too large."""

(_AGENT,) = [workload for workload in WORKLOADS if workload.name == "agent loop"]


@dataclass
class Work:
    """What clients share. After `end` nobody begins anything."""

    subject: Subject
    session: aiohttp.ClientSession
    end: float
    tally: Tally = field(default_factory=Tally)

    def goes_on(self) -> bool:
        return time.monotonic() < self.end

    def chat(self, text: str, **fields: Any) -> dict[str, Any]:
        messages = [{"role": "user", "content": text}]
        return {"model": self.subject.model, "messages": messages, **fields}

    async def told(self, kind: str, asking: Awaitable[Any]) -> Any:
        """The answer, which is counted; None if there is none."""
        try:
            choice = await asking
        except Lost as lost:
            self.tally.add(kind, "lost", str(lost))
            return None
        self.tally.add(kind, "refused" if choice is None else "whole")
        return choice


Kind = Callable[[Work, Random], Awaitable[None]]


async def call(work: Work, dice: Random) -> None:
    """Tools that nobody has offered before; the calls are checked by their schemas."""
    body = random_requests.request(dice, work.subject.model)
    await work.told("calls", ask(work.session, body))


async def stream(work: Work, dice: Random) -> None:
    """The same, streamed."""
    body = random_requests.request(dice, work.subject.model) | {"stream": True}
    await work.told("streams", ask(work.session, body))


async def agent(work: Work, dice: Random) -> None:
    """Questions, calls and their results, in one conversation that grows."""
    conversation = _AGENT.begin(dice.randrange(10_000))
    streamed = {"stream": dice.random() < 0.5, "model": work.subject.model}
    request = next(conversation)
    while True:
        choice = await work.told("agent turns", ask(work.session, request | streamed))
        if choice is None:
            return
        try:
            request = conversation.send(choice["message"])
        except StopIteration:
            return


async def leave(work: Work, dice: Random) -> None:
    """An answer without end, whose client leaves: soon, or when a part of it has come."""
    body = work.chat(f"Tell me more, {dice.randrange(100)}.", n=dice.choice((1, 1, 3)), **LASTING)
    asking = ask(work.session, body | {"stream": dice.random() < 0.7})
    try:
        async with asyncio.timeout(dice.choice((0.02, 0.3, 2)) * dice.random()):
            await work.told("leavers", asking)
    except TimeoutError:
        work.tally.add("leavers", "left")


async def attack(work: Work, dice: Random) -> None:
    """A schema that was made to cost much."""
    schema = dice.choice(list(hostile.SCHEMAS.values()))
    forced = {"type": "function", "function": {"name": "f"}}
    fields = {"max_tokens": 16, "stream": dice.random() < 0.5, "tool_choice": forced}
    body = hostile.body(schema, model=work.subject.model, **fields)
    await work.told("hostile schemas", ask(work.session, body, SCHEMA_CODES, checked=False))


async def speak_as_pirate(work: Work, dice: Random) -> None:
    """A turn of the adapter that comes and goes: a whole one, or there is no such model."""
    body = work.chat("tell me a joke", max_tokens=dice.randint(1, 200), temperature=1)
    fields = {"model": ADAPTER, "stream": dice.random() < 0.5, "ignore_eos": dice.random() < 0.5}
    choice = await work.told("adapter", ask(work.session, body | fields, ("model_not_found",)))
    if choice is None:
        await asyncio.sleep(0.1)


KINDS: tuple[Kind, ...] = (call, stream, agent, leave, attack, speak_as_pirate)


async def client(work: Work, number: int) -> None:
    """Ask for this and that."""
    dice = Random(number)
    while work.goes_on():
        await dice.choice(KINDS)(work, dice)


async def change_adapters(work: Work, dice: Random) -> None:
    """Load the adapter and unload it again, while turns of it run."""
    while work.goes_on():
        await _ask_for("load", work, lora_path=str(PIRATE))
        await asyncio.sleep(2 * dice.random())
        await _ask_for("unload", work)
        await asyncio.sleep(dice.random())


async def _ask_for(what: str, work: Work, **fields: str) -> None:
    body = {"lora_name": ADAPTER, **fields}
    path = f"v1/{what}_lora_adapter"
    try:
        async with work.session.post(path, json=body) as response:
            text = await response.text()
    except (aiohttp.ClientError, TimeoutError) as error:
        work.tally.add(f"{what}s of it", "lost", repr(error))
        return
    whole = response.status == 200 and text.startswith("Success")
    work.tally.add(f"{what}s of it", "whole" if whole else "lost", text)


async def all_at_once(subject: Subject, seconds: float) -> Tally:
    """What became of all that clients asked of `subject` in so many seconds, and for as long as
    the last of it took."""
    timeout = aiohttp.ClientTimeout(ANSWER_SECONDS)
    async with aiohttp.ClientSession(f"{subject.url}/", timeout=timeout) as session:
        work = Work(subject, session, time.monotonic() + seconds)
        clients = [client(work, number) for number in range(CLIENTS)]
        await asyncio.gather(*clients, change_adapters(work, Random(-1)))
    return work.tally

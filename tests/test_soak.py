"""What the soak calls growth, and what it calls lost; that a real server stands it is a test of
tests/engine."""

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import aiohttp
import pytest

from benchmarks.soak.answers import Choice, Lost, ask
from benchmarks.soak.growth import BOUNDS, Growth, Held, growths, held
from tests.serving import Served

SECONDS = range(180)
HI = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


def megabytes(values: Sequence[float], role: str = "scheduler") -> Growth:
    found = growths(SECONDS, [{role: Held(megabytes=value)} for value in values])
    return found[list(BOUNDS).index("megabytes")]


def test_what_comes_back_is_no_growth() -> None:
    dice = random.Random(1)
    held_now_and_then = [1_000 + 200 * (dice.random() < 0.2) + dice.random() for _ in SECONDS]
    assert megabytes(held_now_and_then).is_flat


def test_what_comes_with_the_first_requests_is_no_growth() -> None:
    assert megabytes([min(1_000 + 10 * second, 1_400) for second in SECONDS]).is_flat


@pytest.mark.parametrize("noise", [0, 100])
def test_a_leak_is_found_among_all_else(noise: float) -> None:
    dice = random.Random(1)
    leak = 2 * BOUNDS["megabytes"] / 120  # what is looked at are two thirds
    found = megabytes([1_000 + leak * s + noise * dice.random() ** 4 for s in SECONDS])
    assert not found.is_flat
    assert found.growth == pytest.approx(2 * BOUNDS["megabytes"], rel=0.3)


@pytest.mark.parametrize(("role", "flat"), [("server", True), ("scheduler", False)])
def test_the_server_may_take_what_it_remembers_of_turns(role: str, flat: bool) -> None:
    assert megabytes([1_000 + second / 2 for second in SECONDS], role).is_flat is flat
    assert not megabytes([1_000 + 2 * second for second in SECONDS], role).is_flat


def test_each_process_is_looked_at_with_its_children() -> None:
    command = [sys.executable, "-c", "input()", "worker.py"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
        found = held(os.getpid())
        child.communicate(b"\n")
    assert found["sandboxes"].threads >= 1
    assert found["sandboxes"].descriptors >= 3
    assert found["server"].megabytes > found["sandboxes"].megabytes > 1


def asked(served: Served, codes: Sequence[str | None] = (), **fields: Any) -> Choice | None:
    async def work() -> Choice | None:
        async with aiohttp.ClientSession(f"{served.url}/") as session:
            return await ask(session, HI | fields, codes)

    return asyncio.run(work())


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_is_whole_is_not_lost(serve: Callable[..., Served], stream: bool) -> None:
    choice = asked(serve({"turn": "all\nHello"}), stream=stream)
    assert choice is not None
    assert choice["message"]["content"] == "Hello"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", ["fail", "die"])
def test_one_that_does_not_come_to_its_end_is(
    serve: Callable[..., Served], fault: str, stream: bool
) -> None:
    served = serve({"turn": "all\nHello", "fault": fault, "after": 1})
    with pytest.raises(Lost):
        asked(served, stream=stream)


def test_a_refusal_is_lost_unless_it_was_to_be_expected(serve: Callable[..., Served]) -> None:
    served = serve({"turn": "all\nHello"})
    assert asked(served, ["model_not_found"], model="other") is None
    with pytest.raises(Lost, match="does not exist"):
        asked(served, [None], model="other")
    served.close()

"""Two engines, SGLang's router before them, and a server before that."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.engine.elsewhere import Engine, Server
from tests.loops import Client, Turn, posting, turns
from tests.serving import counted

FIELDS = {"model": "functionary-nano", "max_tokens": 32, "temperature": 0}
PLACES = ("harbours", "mountains", "museums", "deserts", "rivers", "theatres")
"""What each set of tools is about; a family of agents has one."""

QUESTION = [{"role": "user", "content": "What is it like in Rome and in Oslo?"}]


@dataclass
class Fleet:
    engines: list[Engine]
    server: Server


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    directory: Path = tmp_path_factory.mktemp("fleet")
    engines = [Engine(number, directory / f"engine-{number}.log") for number in range(2)]
    try:
        urls = [engine.ready().url for engine in engines]
        server = Server(directory / "server.log", urls)
        yield Fleet(engines, server)
        assert server.end() == 0, server.log.read_text()
    finally:
        for engine in engines:
            engine.end()


def tools(about: str) -> list[dict[str, Any]]:
    """A set of tools, most of whose text no other has."""
    described = f"Looks up {about} near a city. " + " ".join(
        f"Field {number} is about {about} of the kind {number * 7}." for number in range(12)
    )
    return [
        {
            "type": "function",
            "function": {
                "name": f"{verb}_{about}",
                "description": described,
                "parameters": {
                    "type": "object",
                    "properties": {
                        "city": {"type": "string", "maxLength": 12},
                        "exact": {"type": "boolean"},
                    },
                    "required": ["city"],
                },
            },
        }
        for verb in ("find", "rate")
    ]


def loop(fleet: Fleet, about: str, *, stream: bool) -> list[Turn]:
    post = posting(fleet.server.http, stream=stream)
    # Families differ from the first word on, as agents do.
    return list(turns(post, Client(fields=FIELDS), tools(about), system=f"You know {about}."))


CASES = [(about, stream) for about in PLACES for stream in (True, False)]


@pytest.fixture(scope="module")
def loops(fleet: Fleet) -> dict[Any, list[Turn]]:
    """Those of all families, all at once, each as streams and as whole answers."""
    with ThreadPoolExecutor(len(CASES)) as pool:
        found = pool.map(lambda case: loop(fleet, case[0], stream=case[1]), CASES)
        return dict(zip(CASES, found, strict=True))


def said(turn: Turn) -> Any:
    """What the turn says, but for the names of its calls."""
    calls = [call["function"] for call in turn.message.get("tool_calls") or ()]
    return turn.message["content"], calls


@pytest.mark.parametrize("about", PLACES)
def test_streams_are_what_whole_answers_are(loops: Any, about: str) -> None:
    streamed, whole = loops[about, True], loops[about, False]
    assert [said(turn) for turn in streamed] == [said(turn) for turn in whole]
    assert any(turn.message.get("tool_calls") for turn in whole)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_agents_come_back_to_the_engine_that_knows_them(loops: Any, case: Any) -> None:
    for before, turn in pairwise(loops[case]):
        if before.message["content"] or before.message.get("tool_calls"):
            assert turn.share >= 0.99, (turn.cached, turn.known)


def test_whoever_leaves_stops_the_engine(fleet: Fleet) -> None:
    stream = fleet.server.client.chat.completions.create(
        model="functionary-nano",
        messages=QUESTION,  # type: ignore[arg-type]
        stream=True,
        max_tokens=4000,
        extra_body={"min_tokens": 3000},
    )
    next(iter(stream))
    until_running(fleet, 1)
    stream.close()
    until_running(fleet, 0)


def until_running(fleet: Fleet, count: int) -> None:
    """Wait until the engines hold so many requests. They tell it a moment later than it is so."""
    end = time.monotonic() + 3
    while sum(engine.running() for engine in fleet.engines) != count:
        assert time.monotonic() < end, "the engine goes on" if count == 0 else "it does not begin"
        time.sleep(0.02)


def test_seeds_and_biases_come_through_the_router(fleet: Fleet) -> None:
    def drawn(**fields: Any) -> str:
        answer = fleet.server.client.chat.completions.create(
            model="functionary-nano",
            messages=QUESTION,  # type: ignore[arg-type]
            max_tokens=24,
            **{"temperature": 2, "seed": 5, **fields},
        )
        return answer.choices[0].message.content or ""

    assert drawn() == drawn()
    assert len({drawn(seed=seed) for seed in range(4)}) > 1
    # One of the embedded model's ids, which it would not write by itself.
    assert len(set(drawn(temperature=0, logit_bias={"70": 100}))) == 1


def test_log_probabilities_come_through_the_router(fleet: Fleet) -> None:
    answer = fleet.server.client.chat.completions.create(
        model="functionary-nano",
        messages=QUESTION,  # type: ignore[arg-type]
        max_tokens=8,
        temperature=0,
        logprobs=True,
        top_logprobs=2,
    )
    told = answer.choices[0].logprobs
    assert told is not None
    for token in told.content or ():
        assert token.logprob == max(top.logprob for top in token.top_logprobs)


def test_an_engine_that_dies_is_made_up_for(fleet: Fleet) -> None:
    """The last of these tests: one engine is gone behind it."""
    fleet.engines[0].kill()
    for _ in range(8):
        for about in PLACES[:2]:
            answer = fleet.server.client.chat.completions.create(
                messages=QUESTION,  # type: ignore[arg-type]
                tools=tools(about),  # type: ignore[arg-type]
                **FIELDS,  # type: ignore[arg-type]
            )
            assert answer.choices[0].finish_reason in ("stop", "tool_calls", "length")
    assert fleet.server.http.get("/ready").status_code == 200
    assert counted(fleet.server.http, "functionary_engine_requests_total") > 0

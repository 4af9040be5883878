"""A turn in one request says what it says in several."""

import itertools
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.conftest import WEATHER
from tests.engine.conftest import RunningEngine
from tests.engine.test_drafts import REQUESTS, WITHOUT_DRAFTS, random_requests
from tests.engine.test_formats import FORMATS
from tests.serving import counted

NOTE = {
    "type": "function",
    "function": {
        "name": "take_note",
        "parameters": {
            "type": "object",
            "properties": {
                "text": {"type": "string", "maxLength": 12},
                "urgent": {"type": "boolean"},
            },
            "required": ["text"],
        },
    },
}
CHOICES = ("auto", "required", {"type": "function", "function": {"name": "take_note"}})
ASKED = {"messages": [{"role": "user", "content": "what's the weather like in Rome and in Oslo?"}]}
ASKED_BEFORE = 10
"""Times at most, some seconds in all."""

# A penalty that changes nothing, with which each question is a request.
ONE_BY_ONE = WITHOUT_DRAFTS


def requests() -> Iterator[dict[str, Any]]:
    for choice, seed in itertools.product(CHOICES, range(3)):
        drawn = {"temperature": min(seed, 1), "seed": seed, "max_tokens": 90}
        yield {**ASKED, **drawn, "tools": [WEATHER, NOTE], "tool_choice": choice}


def answered(engine: RunningEngine, format: str, request: dict[str, Any]) -> dict[str, Any]:
    place = "" if format == "v3.llama3" else f"/as/{format}"
    response = engine.http.post(f"{place}/v1/chat/completions", json=request)
    assert response.status_code == 200, response.text
    choice: dict[str, Any] = response.json()["choices"][0]
    usage = response.json()["usage"]
    for call in choice["message"].get("tool_calls") or ():
        del call["id"]
    return {**choice, "tokens": usage["completion_tokens"]}


def engine_requests(engine: RunningEngine) -> float:
    return counted(engine.http, "functionary_engine_requests_total")


def made(engine: RunningEngine, format: str, request: dict[str, Any]) -> float:
    """How many requests to the engine an answer takes when its grammar is there. It is made while
    the second is answered, and may be there later on a busy machine."""
    taken = 0.0
    for _ in range(ASKED_BEFORE):
        before = engine_requests(engine)
        answered(engine, format, request)
        taken = engine_requests(engine) - before
        if taken == 1:
            break
        time.sleep(0.3)
    return taken


def test_calls_take_one_request(engine: RunningEngine) -> None:
    request = next(requests())
    assert made(engine, "v3.llama3", request) == 1
    before = engine_requests(engine)
    answered(engine, "v3.llama3", request | ONE_BY_ONE)
    assert engine_requests(engine) - before >= 3


@pytest.mark.parametrize("format", ["v3.llama3", *FORMATS])
def test_answers_are_the_same(engine: RunningEngine, format: str) -> None:
    asked = list(requests())
    for request in asked[::3]:
        made(engine, format, request)

    def pair(request: dict[str, Any]) -> tuple[Any, Any]:
        one_by_one = answered(engine, format, request | ONE_BY_ONE)
        return answered(engine, format, request), one_by_one

    with ThreadPoolExecutor(4) as pool:
        for request, (at_once, one_by_one) in zip(asked, pool.map(pair, asked), strict=True):
            assert at_once == one_by_one, json.dumps(request)


def test_random_requests_have_the_same_answers(engine: RunningEngine) -> None:
    """By a seed and not, several at once, when the grammars of their offers are there."""
    asked = list(random_requests(REQUESTS))

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        return answered(engine, "v3.llama3", request)

    with ThreadPoolExecutor(8) as pool:
        for _ in range(2):
            list(pool.map(answer, asked))
        before = engine_requests(engine)
        at_once = list(pool.map(answer, asked))
        taken = engine_requests(engine) - before
        one_by_one = list(pool.map(answer, [request | ONE_BY_ONE for request in asked]))
        assert taken < engine_requests(engine) - before - taken
    for request, one, other in zip(asked, at_once, one_by_one, strict=True):
        assert one == other, json.dumps(request)


def test_a_budget_may_end_it_anywhere(engine: RunningEngine) -> None:
    request = next(requests()) | {"temperature": 0}
    assert made(engine, "v3.llama3", request) == 1
    for most in range(1, 24):
        short = request | {"max_tokens": most}
        one_by_one = answered(engine, "v3.llama3", short | ONE_BY_ONE)
        assert answered(engine, "v3.llama3", short) == one_by_one


def test_a_stream_may_be_left_in_the_middle(engine: RunningEngine) -> None:
    request = next(requests()) | {"temperature": 0}
    assert made(engine, "v3.llama3", request) == 1
    for chunks in range(1, 12, 2):
        path = "/v1/chat/completions"
        with engine.http.stream("POST", path, json=request | {"stream": True}) as response:
            lines = response.iter_lines()
            for _ in range(chunks):
                next(lines)
    deadline = time.monotonic() + 30
    while engine.held() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert engine.held() == 0

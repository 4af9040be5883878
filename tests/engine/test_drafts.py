"""Drafts change what an answer costs, and nothing of what it says."""

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import pytest

from benchmarks.random_requests import request as random_request
from benchmarks.serving.workloads import WORKLOADS
from tests.engine.conftest import RunningEngine
from tests.serving import counted

REQUESTS = int(os.environ.get("ENGINE_FUZZ_REQUESTS", "40"))
# Requests with a penalty have no drafts; of this one no logit changes in 32 bits.
WITHOUT_DRAFTS = {"frequency_penalty": 1e-30}
TEN_KEYS = next(workload for workload in WORKLOADS if workload.name == "ten keys")


def ten_keys(number: int, **fields: Any) -> dict[str, Any]:
    """A request for a call with ten keys."""
    return next(TEN_KEYS.begin(number)) | fields


def asked(engine: RunningEngine, request: dict[str, Any]) -> list[dict[str, Any]]:
    """The choices of the answer, without ids of calls."""
    response = engine.http.post("/v1/chat/completions", json=request)
    assert response.status_code == 200, response.text
    choices: list[dict[str, Any]] = response.json()["choices"]
    for choice in choices:
        for call in choice["message"].get("tool_calls") or ():
            del call["id"]
    return choices


def passes(engine: RunningEngine) -> float:
    return counted(engine.http, "functionary_engine_passes_total")


def cost(engine: RunningEngine, request: dict[str, Any]) -> float:
    """How many passes of the model the answer takes."""
    before = passes(engine)
    asked(engine, request)
    return passes(engine) - before


def random_requests(count: int) -> Iterator[dict[str, Any]]:
    dice = Random(1)
    for number in range(count):
        request = random_request(dice, "functionary-nano") | {"seed": number}
        yield request | {"temperature": number % 2, "max_tokens": 80}


def test_answers_are_the_same_with_and_without(engine: RunningEngine) -> None:
    """Drawn by a seed and not, several at once with others that have no drafts."""

    def pair(request: dict[str, Any]) -> tuple[Any, Any]:
        return asked(engine, request), asked(engine, request | WITHOUT_DRAFTS)

    wanted = [*random_requests(REQUESTS), *(ten_keys(number) for number in range(4))]
    with ThreadPoolExecutor(8) as pool:
        for drafted, plain in pool.map(pair, wanted):
            assert drafted == plain


def test_a_call_takes_a_fraction_of_the_passes(engine: RunningEngine) -> None:
    request = ten_keys(1)
    assert cost(engine, request) < 0.4 * cost(engine, request | WITHOUT_DRAFTS)


def test_text_takes_as_many_as_ever(engine: RunningEngine) -> None:
    request = {"messages": [{"role": "user", "content": "Hello!"}], "temperature": 0}
    tokens = len(asked(engine, request | {"logprobs": True})[0]["logprobs"]["content"])
    assert cost(engine, request) == cost(engine, request | WITHOUT_DRAFTS) >= tokens > 3


@pytest.mark.parametrize("most", range(20, 40, 3))
def test_an_answer_may_end_inside_a_draft(engine: RunningEngine, most: int) -> None:
    short = ten_keys(2, max_tokens=most)
    assert asked(engine, short) == asked(engine, short | WITHOUT_DRAFTS)


def test_log_probabilities_are_those_of_what_was_drawn(engine: RunningEngine) -> None:
    answer = {"type": "json_schema", "json_schema": {"name": "a", "schema": _schema(ten_keys(3))}}
    request = {
        "messages": ten_keys(3)["messages"],
        "response_format": answer,
        "logprobs": True,
        "top_logprobs": 2,
        "temperature": 0,
        "max_tokens": 60,
    }
    drafted, plain = (
        asked(engine, request | more)[0]["logprobs"]["content"] for more in ({}, WITHOUT_DRAFTS)
    )
    assert [token["token"] for token in drafted] == [token["token"] for token in plain]
    for one, other in zip(drafted, plain, strict=True):
        assert one["logprob"] == pytest.approx(other["logprob"], abs=1e-3)
        tops = zip(one["top_logprobs"], other["top_logprobs"], strict=True)
        assert all(a["logprob"] == pytest.approx(b["logprob"], abs=1e-3) for a, b in tops)


def _schema(request: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = request["tools"][0]["function"]["parameters"]
    return schema


@pytest.mark.parametrize("more", [{"n": 3}, {"logit_bias": {"300": 5, "301": -5}}, {"top_p": 0.5}])
def test_what_else_is_asked_for_stays_as_it_is(engine: RunningEngine, more: dict[str, Any]) -> None:
    request = ten_keys(4, **more) | {"temperature": 1, "seed": 7, "max_tokens": 60}
    assert asked(engine, request) == asked(engine, request | WITHOUT_DRAFTS)


def test_an_adapter_has_drafts_too(adapted: RunningEngine) -> None:
    request = ten_keys(5, model="pirate")
    assert asked(adapted, request) == asked(adapted, request | WITHOUT_DRAFTS)
    assert cost(adapted, request) < 0.4 * cost(adapted, request | WITHOUT_DRAFTS)


def test_a_stream_may_be_left_in_the_middle(engine: RunningEngine) -> None:
    request = ten_keys(6, stream=True)
    for chunks in range(1, 12, 2):
        with engine.http.stream("POST", "/v1/chat/completions", json=request) as response:
            lines = response.iter_lines()
            for _ in range(chunks):
                next(lines)
    calls = asked(engine, ten_keys(6))[0]["message"]["tool_calls"]
    assert json.loads(calls[0]["function"]["arguments"])

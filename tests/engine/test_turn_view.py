"""A turn as its program sees it, on the real engine: in several requests, and in one."""

import time
from typing import Any

from tests.engine.conftest import RunningEngine
from tests.engine.test_client import ASK

ASKED_BEFORE = 10
"""Times at most, some seconds in all, until a turn is one request."""


def turn(engine: RunningEngine, **fields: Any) -> tuple[Any, Any]:
    body = {**ASK, "temperature": 0, "return_turn": True, **fields}
    answer = engine.http.post("/v1/chat/completions", json=body).raise_for_status().json()
    return answer["choices"][0]["turn"], answer["usage"]


def spelled(tokens: Any) -> list[tuple[Any, ...]]:
    return [(token["id"], token["by"], token.get("forced")) for token in tokens]


def test_it_says_the_same_of_a_turn_in_one_request(engine: RunningEngine) -> None:
    apart, _ = turn(engine, logprobs=True, top_logprobs=2)
    for _ in range(ASKED_BEFORE):
        together, usage = turn(engine)
        if together["answer"][0]["offered"][0]["logprob"] is None:
            break
        time.sleep(0.5)
    else:
        raise AssertionError("no turn was one request")
    assert spelled(together["answer"]) == spelled(apart["answer"])
    assert together["cached_tokens"] == usage["prompt_tokens_details"]["cached_tokens"] > 0


def test_what_is_forced_is_certain_and_what_is_chosen_has_its_probability(
    engine: RunningEngine,
) -> None:
    told, _ = turn(engine, logprobs=True, top_logprobs=2)
    forced = [token for token in told["answer"] if token.get("forced")]
    assert "".join(token["token"] for token in forced).startswith('{"location": "')
    # A tokenizer may cut what is forced in several ways; most often one is left.
    assert all(token["logprob"] > -0.1 for token in forced)
    (first, *_) = [token for token in told["answer"] if token["by"] == "choice"]
    assert all(-100 < one["logprob"] <= 0 for one in first["offered"])

"""`return_turn`: the turn that an answer came from, as its program sees it."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from functionary_sgl.turns import FORMATS
from tests.conftest import WEATHER
from tests.formats import PROMPTERS, PerFormat, clients, possible, written
from tests.serving import Served, scripted_model, serving

CALLS = [("get_current_weather", '{"location": "Rome"}')]
ASK = {"messages": [{"role": "user", "content": "<|eot_id|> Hi"}], "tools": [WEATHER]}


@pytest.fixture(scope="module")
def each() -> Iterator[PerFormat[httpx.Client]]:
    def replies(format: str) -> Iterator[dict[str, Any]]:
        yield {"turn": written(format, *possible(format, "Let me look", CALLS))}

    with clients(replies) as each:
        yield each


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    turn = 'all\nLet me look: 漢.>>>get_current_weather\n{"location": "Rome"}'
    with serving(scripted_model(PROMPTERS["v3.llama3"], {"turn": turn})) as served:
        yield served


def choice(http: httpx.Client, **fields: Any) -> dict[str, Any]:
    answer = http.post("/v1/chat/completions", json={**ASK, "return_turn": True, **fields})
    found: dict[str, Any] = answer.raise_for_status().json()["choices"][0]
    return found


def ids(http: httpx.Client, *messages: Any) -> list[int]:
    body = {**ASK, "messages": [*ASK["messages"], *messages]}
    told: list[int] = http.post("/v1/tokenize", json=body).raise_for_status().json()["tokens"]
    return told


@pytest.mark.parametrize("format", FORMATS)
def test_it_has_the_ids_that_the_model_read_and_those_of_the_next_prompt(
    each: PerFormat[httpx.Client], format: str
) -> None:
    told = choice(each[format])
    turn = told["turn"]
    prompt, answer = ([token["id"] for token in turn[part]] for part in ("prompt", "answer"))
    assert prompt == ids(each[format])
    (call,) = told["message"]["tool_calls"]
    result = {"role": "tool", "tool_call_id": call["id"], "content": "22"}
    after = ids(each[format], told["message"], result)
    assert after[: len(prompt + answer)] == prompt + answer
    assert turn["template"] == format


@pytest.mark.parametrize("format", FORMATS)
def test_its_tokens_say_what_was_told_and_whose_they_are(
    each: PerFormat[httpx.Client], format: str
) -> None:
    told = choice(each[format])
    turn, (call,) = told["turn"], told["message"]["tool_calls"]
    of_calls = [p for p in turn["payloads"] if p["role"] == "arguments"]
    assert of_calls == [
        {"role": "arguments", "recipient": "get_current_weather", "call_id": call["id"]}
    ]
    mine = [t for t in turn["answer"] if payload_of(t, turn) in of_calls]
    assert "Rome" in "".join(token["token"] for token in mine)
    bound = [p for p in turn["payloads"] if p["role"] in ("arguments", "id")]
    assert all(payload_of(t, turn) in bound for t in turn["answer"] if "forced" in t)
    control = PROMPTERS[format].tokenizer.control_ids
    for token in turn["prompt"] + turn["answer"]:
        assert ("control" in token) == (token["id"] in control.values())


def payload_of(token: dict[str, Any], turn: dict[str, Any]) -> Any:
    place = token.get("payload")
    return None if place is None else turn["payloads"][place]


def test_it_tells_what_was_drawn_chosen_forced_and_written(served: Served) -> None:
    turn = choice(served.http, logprobs=True, top_logprobs=1)["turn"]
    told = [(token["token"], token["by"], token.get("forced")) for token in turn["answer"]]
    assert told[:2] == [("all", "choice", None), ("\n", "program", None)]
    assert told[-7:] == [
        ('{"', "model", True),
        ("location", "model", True),
        ('":', "model", True),
        (' "', "model", True),
        ("Rome", "model", False),
        ('"}', "model", False),
        ("<|eot_id|>", "choice", None),
    ]
    assert [one["token"] for one in turn["answer"][-1]["offered"]] == ["<|eot_id|>", ">>>"]
    # Whatever was told as drawn has its log-probability, as `logprobs` has it.
    drawn = [token for token in turn["answer"] if token["by"] == "model"]
    assert all(token["logprob"] == 0 for token in drawn)
    assert all(len(token["top_logprobs"]) == 1 for token in drawn)
    assert turn["cached_tokens"] == 0


def test_tokens_that_are_no_whole_characters_have_their_bytes(served: Served) -> None:
    turn = choice(served.http)["turn"]
    split = [token for token in turn["answer"] if "bytes" in token]
    assert bytes(byte for token in split for byte in token["bytes"]).decode().strip() == "漢"


def test_a_stream_tells_it_with_its_end(served: Served) -> None:
    whole = choice(served.http)
    body = {**ASK, "return_turn": True, "stream": True}
    with served.http.stream("POST", "/v1/chat/completions", json=body) as answer:
        lines = [line[6:] for line in answer.iter_lines() if line.startswith("data: {")]
    choices = [json.loads(line)["choices"][0] for line in lines]
    (turn,) = [one["turn"] for one in choices if "turn" in one]
    assert choices[-1]["finish_reason"] == whole["finish_reason"] == "tool_calls"
    assert choices[-1]["turn"] is turn
    for payload in (*turn["payloads"], *whole["turn"]["payloads"]):
        payload.pop("call_id")
    assert turn == whole["turn"]


def test_an_answer_that_was_cut_short_has_it_too(served: Served) -> None:
    told = choice(served.http, max_tokens=4)
    assert told["finish_reason"] == "length"
    assert len(told["turn"]["answer"]) == 4


def test_who_does_not_ask_is_not_told(served: Served) -> None:
    assert "turn" not in choice(served.http, return_turn=False)
    assert "turn" not in choice(served.http, return_turn=None)


def test_one_answer_at_a_time(served: Served) -> None:
    answer = served.http.post("/v1/chat/completions", json={**ASK, "return_turn": True, "n": 2})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "return_turn"

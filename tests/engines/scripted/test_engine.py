"""The scripted engine behaves as a real one does."""

import asyncio
import json
from typing import Any

import pytest

from functionary_sgl.engines.base import Chunk, Constraint, Request, TurnContext
from functionary_sgl.engines.scripted import Script, ScriptedEngine
from functionary_sgl.errors import EngineDied, EngineError
from functionary_sgl.tokenizer import Tokenizer

TURN = "all\nHello there>>>now\n{}<|eot_id|>"


def engine(tokenizer: Tokenizer, **reply: Any) -> ScriptedEngine:
    script = Script.model_validate({"replies": [{"match": "", "turn": TURN, **reply}]})
    return ScriptedEngine(script, tokenizer)


def chunks(tokenizer: Tokenizer, scripted: ScriptedEngine, **fields: Any) -> list[Chunk]:
    end = (tokenizer.control_ids["<|eot_id|>"],)
    defaults = {"token_ids": [1], "max_tokens": 99, "turn": TurnContext("t", 1)}
    request = Request(**{**defaults, "stop_token_ids": end, **fields})

    async def collect() -> list[Chunk]:
        return [chunk async for chunk in scripted.generate(request)]

    return asyncio.run(collect())


def texts(tokenizer: Tokenizer, got: list[Chunk]) -> list[str]:
    return [tokenizer.decode(list(chunk.token_ids)) for chunk in got]


def test_the_turn_ends_with_the_id_that_ends_turns(tokenizer: Tokenizer) -> None:
    got = chunks(tokenizer, engine(tokenizer, chunk="all"))
    assert texts(tokenizer, got) == [TURN]
    assert got[-1].finish_reason == "stop"


@pytest.mark.parametrize(
    ("cut", "expected"),
    [
        ("char", [*TURN.removesuffix("<|eot_id|>"), "<|eot_id|>"]),
        ([4, 6], ["all\n", "Hello ", "there>>>now\n{}", "<|eot_id|>"]),
    ],
)
def test_chunks_are_cut_as_asked(tokenizer: Tokenizer, cut: Any, expected: list[str]) -> None:
    assert texts(tokenizer, chunks(tokenizer, engine(tokenizer, chunk=cut))) == expected


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_number_is_tokens_at_a_time(tokenizer: Tokenizer, size: int) -> None:
    got = chunks(tokenizer, engine(tokenizer, chunk=size))
    assert {len(chunk.token_ids) for chunk in got[:-1]} == {size}
    assert "".join(texts(tokenizer, got)) == TURN


def test_a_stop_string_ends_the_generation(tokenizer: Tokenizer) -> None:
    got = chunks(tokenizer, engine(tokenizer), stop=("xx", ">>>now\n"))
    assert "".join(texts(tokenizer, got)) == "all\nHello there>>>now\n"
    assert got[-1].finish_reason == "stop"


def test_the_budget_ends_the_generation(tokenizer: Tokenizer) -> None:
    got = chunks(tokenizer, engine(tokenizer), max_tokens=3)
    assert sum(len(chunk.token_ids) for chunk in got) == 3
    assert got[-1].finish_reason == "length"


def test_a_constraint_is_followed(tokenizer: Tokenizer) -> None:
    schema = {"type": "object", "properties": {"b": {}, "a": {"type": "null"}}, "required": ["a"]}
    constraint = Constraint("json_schema", json.dumps(schema))
    got = chunks(tokenizer, engine(tokenizer, turn='{"b": 1} and more'), constraint=constraint)
    written = "".join(texts(tokenizer, got)).removesuffix("<|eot_id|>")
    assert json.loads(written) == {"b": 1, "a": None}


def test_scores_favour_the_script(tokenizer: Tokenizer) -> None:
    candidates = [tokenizer.encode(word)[0] for word in ("now", "all", "print")]
    scores = asyncio.run(engine(tokenizer).score([1], candidates, TurnContext("t", 1)))
    assert max(scores.logprobs) == scores.logprobs[1]


@pytest.mark.parametrize(("fault", "error"), [("fail", EngineError), ("die", EngineDied)])
def test_faults_come_when_they_are_told_to(
    tokenizer: Tokenizer, fault: str, error: type[Exception]
) -> None:
    scripted = engine(tokenizer, fault=fault, after=2)
    with pytest.raises(error):
        chunks(tokenizer, scripted)
    if fault == "die":
        assert isinstance(asyncio.run(scripted.died()), EngineDied)

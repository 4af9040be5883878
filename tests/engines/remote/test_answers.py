"""What an engine elsewhere answers is what it would be in this process."""

import asyncio
from typing import Any

from functionary_sgl.engines.base import Chunk, Constraint, TurnContext
from functionary_sgl.engines.generate import envelope
from functionary_sgl.errors import RequestError
from functionary_sgl.tokenizer import Tokenizer
from tests.engines.remote.asking import answered, asked, chunks, connected, request, text
from tests.engines.remote.engine_server import engine_server

TURN = "all\nHello there<|eot_id|>"


def test_it_gives_the_ids_that_the_engine_drew(tokenizer: Tokenizer) -> None:
    with engine_server(tokenizer, {"turn": TURN, "chunk": 1}) as server:
        got = chunks(server, tokenizer)
    assert text(tokenizer, got) == TURN
    assert got[-1].finish_reason == "stop"
    assert {chunk.finish_reason for chunk in got[:-1]} <= {None}


def test_all_but_the_ids_travels_where_routers_do_not_look(tokenizer: Tokenizer) -> None:
    turn = TurnContext("t", 1, adapter="pirate", cache_salt="s")
    with engine_server(tokenizer, {"turn": TURN}) as server:
        chunks(server, tokenizer, turn=turn, top_logprobs=1)
        (body,) = server.bodies
    assert body.keys() == {"rid", "input_ids", "stream", "session_params"}
    sent = body["session_params"][envelope.NAME]
    assert (sent["lora_path"], sent["cache_salt"], sent["top_logprobs_num"]) == ("pirate", "s", 1)
    assert sent.keys() <= envelope.FIELDS


def test_constraints_are_followed(tokenizer: Tokenizer) -> None:
    constraint = Constraint("json_schema", '{"type": "object", "properties": {"a": {}}}')
    with engine_server(tokenizer, {"turn": '{"a": 1}<|eot_id|>'}) as server:
        got = chunks(server, tokenizer, constraint=constraint)
    assert text(tokenizer, got).removesuffix("<|eot_id|>") == '{"a": 1}'


def test_log_probabilities_come_with_their_ids(tokenizer: Tokenizer) -> None:
    with engine_server(tokenizer, {"turn": TURN}) as server:
        got = chunks(server, tokenizer, top_logprobs=1)
    for chunk in got:
        told = [top.top[0][0] for top in chunk.logprobs]
        assert told == list(chunk.token_ids)


def test_candidates_are_scored_in_their_order(tokenizer: Tokenizer) -> None:
    first, other = tokenizer.encode("all")[0], tokenizer.encode("none")[0]

    async def score(engine: Any) -> Any:
        return await engine.score([1], [other, first], TurnContext("t", 1))

    with engine_server(tokenizer, {"turn": TURN}) as server:
        scores = asked(server, tokenizer, score)
    assert scores.logprobs[1] > scores.logprobs[0]


def test_who_leaves_stops_the_engine(tokenizer: Tokenizer) -> None:
    async def leave(engine: Any) -> None:
        answer = engine.generate(request(tokenizer))
        await anext(answer)
        await answer.aclose()
        for _ in range(200):
            if server.left:
                return
            await asyncio.sleep(0.01)

    with engine_server(tokenizer, {"turn": TURN * 50, "chunk": 1, "delay": 0.05}) as server:
        asked(server, tokenizer, leave)
        assert server.left == 1


def test_many_at_once_do_not_mix(tokenizer: Tokenizer) -> None:
    async def ask_all(engine: Any) -> list[list[Chunk]]:
        async def one(number: int) -> list[Chunk]:
            return await answered(engine, request(tokenizer, token_ids=[1, number]))

        return await asyncio.gather(*(one(number) for number in range(2, 52)))

    with engine_server(tokenizer, {"turn": TURN, "chunk": 2}) as server:
        got = asked(server, tokenizer, ask_all)
        assert len(server.bodies) == 50
    assert {text(tokenizer, chunks) for chunks in got} == {TURN}


def test_adapters_are_those_of_the_engine(tokenizer: Tokenizer) -> None:
    with engine_server(tokenizer, {"turn": TURN}, adapters={"pirate": "/p"}) as server:
        engine = connected(server, tokenizer)
    assert engine.adapters == {"pirate": "/p"}


def test_adapters_are_not_loaded_from_here(tokenizer: Tokenizer) -> None:
    async def load(engine: Any) -> str:
        try:
            await engine.load_adapter("key", "pirate", None)
        except RequestError as error:
            return error.message
        return ""

    with engine_server(tokenizer, {"turn": TURN}) as server:
        assert "--lora-modules" in asked(server, tokenizer, load)

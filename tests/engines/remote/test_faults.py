"""An engine elsewhere that is lost, late or mad: clear errors, or another try unseen by clients."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from functionary_sgl.engines.base import Chunk
from functionary_sgl.engines.remote import stream
from functionary_sgl.engines.remote.engine import RemoteEngine
from functionary_sgl.errors import (
    EngineError,
    EngineLost,
    EngineUnreachable,
    RequestError,
    ServerBusy,
)
from functionary_sgl.metrics import ENGINE_FAILURES, ENGINE_RETRIES
from functionary_sgl.tokenizer import Tokenizer
from tests.engines.remote import faults
from tests.engines.remote.asking import answered, asked, chunks, request, text
from tests.engines.remote.engine_server import EngineServer, Fault, engine_server

TURN = "all\nHello there<|eot_id|>"
REPLY = {"turn": TURN, "chunk": 1}

BEFORE: dict[str, Callable[[EngineServer], Fault]] = {
    "hangs up": lambda server: faults.hung_up,
    "has no engine": lambda server: faults.status(503),
    "fails": lambda server: faults.status(500),
    "is a web page": lambda server: faults.status(200, "<html>"),
    "sends no JSON": lambda server: faults.raw(b"data: {]}\n\n"),
    "sends no object": lambda server: faults.raw(b"data: [1]\n\n"),
    "sends no event": lambda server: faults.raw(b"HTTP/1.1 200 OK\r\n\r\n"),
    "sends nothing": lambda server: faults.raw(),
    "ends at once": lambda server: faults.raw(b"data: [DONE]\n\n"),
    "sends another shape": lambda server: faults.raw(b'data: {"text": "Hello"}\n\n'),
    "sends half an event": lambda server: faults.raw(b'data: {"output_ids": [1'),
    "is another model": lambda server: faults.other(server, functionary="1-0-5"),
    "is no engine of ours": lambda server: faults.other(server, functionary=None),
    "tells of an error": lambda server: faults.raw(b'data: {"error": {"message": "m"}}\n\n'),
}
"""What may go wrong before anything has come."""


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "RETRY_WAITS", (0.01, 0.01, 0.01))


def failures(reason: str) -> float:
    return ENGINE_FAILURES.labels(reason)._value.get()


@pytest.mark.parametrize("fault", BEFORE)
def test_it_is_asked_again_where_nothing_has_come(tokenizer: Tokenizer, fault: str) -> None:
    retries = ENGINE_RETRIES._value.get()
    with engine_server(tokenizer, REPLY) as server:
        server.faults.extend([BEFORE[fault](server)] * 2)
        assert text(tokenizer, chunks(server, tokenizer)) == TURN
        assert len(server.bodies) == 3
    assert ENGINE_RETRIES._value.get() == retries + 2


@pytest.mark.parametrize("fault", BEFORE)
def test_it_is_not_asked_without_end(tokenizer: Tokenizer, fault: str) -> None:
    with engine_server(tokenizer, REPLY) as server:
        server.faults.extend([BEFORE[fault](server)] * 10)
        with pytest.raises(EngineUnreachable, match=r"does not answer \(it .*send this again"):
            chunks(server, tokenizer)
        assert len(server.bodies) == 4


def test_what_has_begun_ends_with_an_error(tokenizer: Tokenizer) -> None:
    seen: list[Chunk] = []

    async def ask(engine: RemoteEngine) -> None:
        async for chunk in engine.generate(request(tokenizer)):
            seen.append(chunk)

    with engine_server(tokenizer, REPLY) as server:
        ids = tokenizer.encode("all")
        server.faults.append(faults.cut(server, ids))
        with pytest.raises(EngineLost, match="lost in the middle of this answer"):
            asked(server, tokenizer, ask)
        assert len(server.bodies) == 1
    assert [list(chunk.token_ids) for chunk in seen] == [ids]


@pytest.mark.parametrize(
    ("fault", "error", "told"),
    [
        (faults.status(400, '{"error": {"message": "bad grammar"}}'), RequestError, "bad grammar"),
        (faults.status(422, '{"message": "no such field"}'), RequestError, "no such field"),
        (faults.status(429), ServerBusy, "as many requests as it can take"),
        (faults.status(401), EngineError, "FUNCTIONARY_ENGINE_API_KEY"),
        (
            faults.raw(b'data: {"error": {"message": "too long", "code": 400}}\n\n'),
            RequestError,
            "too long",
        ),
    ],
)
def test_what_the_engine_refuses_is_not_asked_again(
    tokenizer: Tokenizer, fault: Fault, error: type[Exception], told: str
) -> None:
    with engine_server(tokenizer, REPLY) as server:
        server.faults.append(fault)
        with pytest.raises(error, match=told):
            chunks(server, tokenizer)
        assert len(server.bodies) == 1


@pytest.mark.parametrize(
    "meta",
    [
        {"finish_reason": {"kind": "stop"}},
        {"output_token_logprobs": [3]},
        {"output_token_logprobs": 3},
    ],
)
def test_nonsense_inside_of_an_answer_is_told(tokenizer: Tokenizer, meta: Any) -> None:
    with engine_server(tokenizer, REPLY) as server:
        server.faults.append(faults.other(server, **meta))
        with pytest.raises(EngineUnreachable, match="what is no answer"):
            chunks(server, tokenizer)


def test_a_line_without_end_does_not_fill_the_memory(
    tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functionary_sgl.engines.remote.events.MOST_BYTES", 1000)
    with engine_server(tokenizer, REPLY) as server:
        server.faults.extend([faults.raw(*[b"data: " + b"x" * 500] * 50)] * 4)
        with pytest.raises(EngineUnreachable, match="more than 1000 bytes"):
            chunks(server, tokenizer)


def test_a_silent_engine_is_given_up(tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "RETRY_SECONDS", 0.1)
    before = failures("silent")
    with engine_server(tokenizer, REPLY) as server:
        server.faults.extend([faults.silent] * 4)
        with pytest.raises(EngineUnreachable, match=r"silent for 0\.2 seconds"):
            asked(server, tokenizer, lambda e: answered(e, request(tokenizer)), hang_seconds=0.2)
        assert len(server.bodies) == 1, "its client has waited long"
    assert failures("silent") == before + 1


def test_a_slow_engine_is_waited_for(tokenizer: Tokenizer) -> None:
    slow = {**REPLY, "delay": 0.1}
    with engine_server(tokenizer, slow) as server:
        question = lambda e: answered(e, request(tokenizer))  # noqa: E731
        got = asked(server, tokenizer, question, hang_seconds=1)
        assert len(server.bodies) == 1
    assert text(tokenizer, got) == TURN


def test_an_engine_that_starts_anew_is_found(
    tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functionary_sgl.engines.remote.engine.LOOK_SECONDS", 0.05)

    async def through_a_restart(engine: RemoteEngine) -> list[str]:
        told = [text(tokenizer, await answered(engine, request(tokenizer)))]
        server.stop()
        await until(lambda: engine.trouble() is not None)
        with pytest.raises(EngineUnreachable, match="does not answer"):
            await answered(engine, request(tokenizer))
        server.start()
        await until(lambda: engine.trouble() is None)
        return [*told, text(tokenizer, await answered(engine, request(tokenizer)))]

    with engine_server(tokenizer, REPLY) as server:
        assert asked(server, tokenizer, through_a_restart) == [TURN, TURN]


def test_an_engine_that_comes_back_as_another_is_not_asked(
    tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functionary_sgl.engines.remote.engine.LOOK_SECONDS", 0.05)

    async def exchange(engine: RemoteEngine) -> str:
        server.stop()
        await until(lambda: engine.trouble() is not None)
        server.about = server.about.model_copy(update={"vocabulary_size": 10_000})
        server.start()
        await until(lambda: "another one" in str(engine.trouble()))
        return str(engine.trouble())

    with engine_server(tokenizer, REPLY) as server:
        assert "start this server anew" in asked(server, tokenizer, exchange)


def test_it_is_known_that_an_engine_does_not_feel_well(
    tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functionary_sgl.engines.remote.engine.LOOK_SECONDS", 0.05)

    async def look(engine: RemoteEngine) -> None:
        await asyncio.sleep(0.1)
        assert engine.trouble() is None
        server.healthy = False
        await until(lambda: "status 503" in str(engine.trouble()))
        server.healthy = True
        await until(lambda: engine.trouble() is None)

    with engine_server(tokenizer, REPLY) as server:
        asked(server, tokenizer, look)


def test_what_is_given_up_ends(tokenizer: Tokenizer) -> None:
    async def give_up(engine: RemoteEngine) -> None:
        answer = engine.generate(request(tokenizer))
        await anext(answer)
        engine.give_up(EngineError("stopped"))
        with pytest.raises(EngineError, match="stopped"):
            async for _ in answer:
                pass
        with pytest.raises(EngineError, match="stopped"):
            await answered(engine, request(tokenizer))

    with engine_server(tokenizer, {**REPLY, "delay": 0.2}) as server:
        asked(server, tokenizer, give_up)


async def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)

"""SGLang's router between a server and engines."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from functionary_sgl.engines.remote import engine as remote
from functionary_sgl.engines.remote.engine import RemoteEngine
from functionary_sgl.engines.remote.start import start
from functionary_sgl.errors import UsageError
from functionary_sgl.tokenizer import Tokenizer
from tests.conftest import TINY
from tests.engines.remote.asking import answered, request, text
from tests.engines.remote.engine_server import EngineServer, engine_server

TURN = "all\nHello there<|eot_id|>"
KEY = "secret"

FAMILIES = [[number] * 300 for number in range(10, 16)]
"""Prompts that have nothing in common."""


@pytest.fixture
def pair(tokenizer: Tokenizer) -> Iterator[list[EngineServer]]:
    with ExitStack() as ended:
        reply = {"turn": TURN, "chunk": 1, "delay": 0.02}
        engines = [ended.enter_context(engine_server(tokenizer, reply)) for _ in range(2)]
        for engine in engines:
            engine.key = KEY
            engine.pages = {"model_info": {"model_path": "m"}, "server_info": {}}
        yield engines


def routed(pair: list[EngineServer], tokenizer: Tokenizer) -> RemoteEngine:
    urls = [engine.url for engine in pair]
    return start(urls, KEY, Path(TINY), tokenizer, print, start_seconds=60)


def asked_for(engine: EngineServer) -> set[int]:
    """The families that came to it."""
    return {body["input_ids"][0] for body in engine.bodies}


def test_prompts_go_where_they_are_known_and_what_dies_is_made_up_for(
    pair: list[EngineServer], tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "LOOK_SECONDS", 0.2)
    engine = routed(pair, tokenizer)
    assert engine.most_running == 2 * pair[0].about.most_running

    async def ask(ids: list[int]) -> str:
        got = await answered(engine, request(tokenizer, token_ids=ids))
        return text(tokenizer, got)

    async def ask_all() -> None:
        for turn in range(3):
            asking = (ask([*family, *[turn] * 9]) for family in FAMILIES)
            assert set(await asyncio.gather(*asking)) == {TURN}
        first, second = map(asked_for, pair)
        assert first
        assert second
        assert not first & second, "a family is where its prompt is known"
        pair[0].stop()
        for family in FAMILIES:
            assert await ask(family) == TURN
        assert asked_for(pair[1]) == {family[0] for family in FAMILIES}
        assert engine._router is not None
        engine._router.end()
        died = await asyncio.wait_for(engine.died(), 10)
        assert "router" in str(died)

    async def run() -> None:
        await engine.ready(lambda: None)
        try:
            await ask_all()
        finally:
            await engine.close()

    asyncio.run(run())


def test_it_has_to_be_installed(
    pair: list[EngineServer], tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> Any:
        return None

    monkeypatch.setattr("functionary_sgl.engines.remote.router.find_spec", absent)
    with pytest.raises(UsageError, match=r"pip install functionary-sgl\[router\]"):
        routed(pair, tokenizer)

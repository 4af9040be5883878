"""SGLang's own server as an engine: what is refused, and what differs."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from functionary_sgl.engines.base import Sampling
from functionary_sgl.engines.remote.engine import RemoteEngine
from functionary_sgl.engines.remote.peer import PLAIN
from functionary_sgl.errors import RequestError, UsageError
from functionary_sgl.tokenizer import Tokenizer
from tests.conftest import TINY
from tests.engines.remote import faults
from tests.engines.remote.asking import asked, chunks, connected, request, text
from tests.engines.remote.engine_server import EngineServer, engine_server

TURN = "all\nHello there<|eot_id|>"

SERVER = {
    "max_req_input_len": 4090,
    "max_total_num_tokens": 10_240,
    "grammar_backend": "llguidance",
    "incremental_streaming_output": True,
    "dp_size": 2,
}
"""Of what SGLang 0.5.23 has at /server_info, what is looked at."""


@pytest.fixture
def server(tokenizer: Tokenizer) -> Iterator[EngineServer]:
    with engine_server(tokenizer, {"turn": TURN, "chunk": 1, "delay": 0.05}) as plain:
        plain.welcome = faults.status(500)
        kind = json.loads((Path(TINY) / "config.json").read_text())["model_type"]
        plain.pages = {"server_info": dict(SERVER), "model_info": {"model_type": kind}}
        yield plain


def test_it_is_told_what_differs(server: EngineServer, tokenizer: Tokenizer) -> None:
    told: list[str] = []
    engine = connected(server, tokenizer, tell=told.append)
    assert told == [PLAIN]
    assert (engine.context_length, engine.most_running) == (4090, 40)


def test_it_is_asked_in_its_own_form(server: EngineServer, tokenizer: Tokenizer) -> None:
    assert text(tokenizer, chunks(server, tokenizer)) == TURN
    (body,) = server.bodies
    assert body["sampling_params"]["max_new_tokens"] == 99
    assert "session_params" not in body


def test_a_seed_is_refused(server: EngineServer, tokenizer: Tokenizer) -> None:
    with pytest.raises(RequestError, match="draws by no seed") as told:
        chunks(server, tokenizer, sampling=Sampling(seed=1))
    assert told.value.param == "seed"
    assert server.bodies == []


def test_who_leaves_has_it_told(server: EngineServer, tokenizer: Tokenizer) -> None:
    async def leave(engine: RemoteEngine) -> None:
        answer = engine.generate(request(tokenizer))
        await anext(answer)
        await answer.aclose()
        for _ in range(200):
            if server.aborted:
                return
            await asyncio.sleep(0.01)

    asked(server, tokenizer, leave)
    assert server.aborted == [server.bodies[0]["rid"]]


@pytest.mark.parametrize(
    ("page", "content", "told"),
    [
        ("server_info", {"grammar_backend": "xgrammar"}, "--grammar-backend llguidance"),
        ("server_info", {"incremental_streaming_output": False}, "--incremental-streaming"),
        ("model_info", {"model_type": "gpt2"}, "serves a gpt2"),
    ],
)
def test_another_one_is_refused(
    server: EngineServer, tokenizer: Tokenizer, page: str, content: dict[str, Any], told: str
) -> None:
    server.pages[page] |= content
    with pytest.raises(UsageError, match=told):
        connected(server, tokenizer)


def test_behind_a_router_it_is_refused(server: EngineServer, tokenizer: Tokenizer) -> None:
    server.pages = {}
    with pytest.raises(UsageError, match="not started with functionary-sgl engine"):
        connected(server, tokenizer)

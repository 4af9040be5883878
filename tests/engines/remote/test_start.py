"""What is at the address when a server starts."""

import threading
from typing import Any

import pytest

from functionary_sgl.engines.generate.about import About
from functionary_sgl.errors import EngineUnreachable, UsageError
from functionary_sgl.tokenizer import Tokenizer
from tests.engines.remote.asking import chunks, connected, text
from tests.engines.remote.engine_server import engine_server

REPLY = {"turn": "all\nHi<|eot_id|>"}


def test_it_is_waited_for(tokenizer: Tokenizer) -> None:
    told: list[str] = []
    with engine_server(tokenizer, REPLY) as server:
        server.stop()
        later = threading.Timer(0.5, server.start)
        later.start()
        connected(server, tokenizer, tell=told.append, start_seconds=10)
        later.join()
    (line,) = told
    assert server.url in line
    assert "Connect call failed" not in line
    assert "waiting for it" in line


def test_it_is_not_waited_for_without_end(tokenizer: Tokenizer) -> None:
    with engine_server(tokenizer, REPLY) as server:
        server.stop()
        with pytest.raises(EngineUnreachable, match="start it, or give another --engine-url"):
            connected(server, tokenizer, start_seconds=0)
        server.start()


@pytest.mark.parametrize(
    ("about", "told"),
    [
        ({"tokens": "0" * 16}, "another tokenizer, or another --template"),
        ({"vocabulary_size": 10}, "do not belong together"),
    ],
)
def test_another_model_is_refused(tokenizer: Tokenizer, about: dict[str, Any], told: str) -> None:
    with (
        engine_server(tokenizer, REPLY, **about) as server,
        pytest.raises(UsageError, match=told),
    ):
        connected(server, tokenizer)


def test_another_version_is_refused(tokenizer: Tokenizer) -> None:
    with engine_server(tokenizer, REPLY) as server:
        server.about = About.model_construct(version=0)
        with pytest.raises(UsageError, match="install the same here and there"):
            connected(server, tokenizer)


def test_what_is_no_engine_is_refused(tokenizer: Tokenizer) -> None:
    from tests.engines.remote import faults

    with engine_server(tokenizer, REPLY) as server:
        server.welcome = faults.status(200, "{}")
        with pytest.raises(UsageError, match="is no engine"):
            connected(server, tokenizer)


def test_the_key_is_sent(tokenizer: Tokenizer) -> None:
    with engine_server(tokenizer, REPLY) as server:
        server.key = "secret"
        connected(server, tokenizer, key="secret")
        with pytest.raises(UsageError, match="FUNCTIONARY_ENGINE_API_KEY"):
            connected(server, tokenizer, key="wrong")


def test_a_slash_at_the_end_of_the_address_is_none(tokenizer: Tokenizer) -> None:
    with engine_server(tokenizer, REPLY) as server:
        server.url += "/"
        assert text(tokenizer, chunks(server, tokenizer)) == REPLY["turn"]

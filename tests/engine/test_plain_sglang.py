"""SGLang's own server as the engine of a server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from functionary_sgl.engines.remote.peer import PLAIN
from functionary_sgl.prompt.checkpoint import EMBEDDED
from tests.engine.elsewhere import Engine, Server
from tests.engine.test_fleet import FIELDS, QUESTION, said, tools
from tests.loops import LOOP, Client, posting, turns

PROGRAM = (
    *("-m", "sglang.launch_server", "--model-path", str(EMBEDDED), "--device=cpu"),
    *("--grammar-backend=llguidance", "--incremental-streaming-output"),
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory: Path = tmp_path_factory.mktemp("plain")
    engine = Engine(2, directory / "engine.log", PROGRAM)
    try:
        server = Server(directory / "server.log", [engine.ready().url])
        yield server
        server.end()
    finally:
        engine.end()


def test_it_is_told_what_differs(served: Server) -> None:
    assert PLAIN in served.log.read_text()


def test_it_answers_in_turns(served: Server) -> None:
    def loop(*, stream: bool) -> list[Any]:
        post = posting(served.http, stream=stream)
        return list(turns(post, Client(fields=FIELDS), tools("museums"), LOOP[:3]))

    streamed, whole = loop(stream=True), loop(stream=False)
    assert [said(turn) for turn in streamed] == [said(turn) for turn in whole]
    assert any(turn.message.get("tool_calls") for turn in whole)


def test_seeds_are_refused(served: Server) -> None:
    with pytest.raises(openai.BadRequestError, match="draws by no seed"):
        served.client.chat.completions.create(
            messages=QUESTION,  # type: ignore[arg-type]
            seed=1,
            **FIELDS,  # type: ignore[arg-type]
        )

"""What clients hear while a server waits for its engine."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import anthropic
import httpx
import openai
import psutil
import pytest

from functionary_sgl.prompt import checkpoint
from tests.cli.process import SECONDS, START_SECONDS, Process
from tests.engines.remote.engine_server import EngineServer, engine_server
from tests.serving import connect, connect_anthropic
from tests.waiting import until

HELLO = {"role": "user", "content": "Hi!"}


@pytest.fixture
def engine() -> Iterator[EngineServer]:
    """One that has not been started."""
    loaded = checkpoint.load(str(checkpoint.EMBEDDED))
    with engine_server(loaded.tokenizer, {"turn": "all\nHello!"}) as server:
        server.stop()
        yield server


@pytest.fixture
def server(engine: EngineServer, tmp_path: Path) -> Iterator[Process]:
    """One that waits for it, and answers already."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    flags = ["--engine-url", engine.url, "--port", str(port), "--turn-grammars", "off"]
    process = Process(tmp_path / "log", flags, {}, banner=False)
    process.url = f"http://127.0.0.1:{port}"
    until(lambda: status(process.url, "/health") == 200, START_SECONDS)
    yield process
    process.process.kill()
    process.process.communicate()


def status(url: str, path: str) -> int:
    """0: nobody listens."""
    try:
        return httpx.get(url + path).status_code
    except httpx.ConnectError:
        return 0


def test_it_lives_and_is_not_ready_until_the_engine_is_there(
    engine: EngineServer, server: Process
) -> None:
    assert httpx.get(f"{server.url}/health").json() == {"status": "loading"}
    told = httpx.get(f"{server.url}/ready")
    assert (told.status_code, told.headers["retry-after"]) == (503, "1")
    assert "still being loaded" in told.json()["error"]["message"]
    engine.start()
    server.wait()
    assert httpx.get(f"{server.url}/health").json() == {"status": "ok"}
    assert status(server.url, "/ready") == 200


def test_requests_are_sent_away_each_in_its_own_protocol(server: Process) -> None:
    http, client = connect(server.url)
    with http, client:
        patient = client.with_options(max_retries=0)
        with pytest.raises(openai.InternalServerError, match="still being loaded") as by_openai:
            patient.chat.completions.create(model="any", messages=[HELLO])  # type: ignore[list-item]
    assert by_openai.value.status_code == 503
    with connect_anthropic(server.url) as other:
        patient_other = other.with_options(max_retries=0)
        with pytest.raises(anthropic.InternalServerError) as by_anthropic:
            patient_other.messages.create(model="any", max_tokens=5, messages=[HELLO])  # type: ignore[list-item]
    assert by_anthropic.value.body["type"] == "error"  # type: ignore[index, call-overload]


def test_nobody_who_asks_all_the_time_is_refused_when_it_becomes_ready(
    engine: EngineServer, server: Process
) -> None:
    """The socket is the same: who comes while one hands over to the other waits."""
    engine.start()
    seen = set()
    until(lambda: seen.add(code := status(server.url, "/ready")) or code == 200, START_SECONDS)  # type: ignore[func-returns-value]
    assert seen <= {200, 503}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_one_that_is_stopped_meanwhile_leaves_nobody_behind(server: Process, number: int) -> None:
    children = psutil.Process(server.process.pid).children(recursive=True)
    assert children
    server.process.send_signal(number)
    server.ended(SECONDS)
    psutil.wait_procs(children, SECONDS)
    assert not [child for child in children if child.is_running()]
    assert status(server.url, "/health") == 0

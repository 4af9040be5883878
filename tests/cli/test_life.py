"""How a server begins and ends, as those see it who watch over it and who ask it."""

import json
import signal
import threading
import time
from typing import Any

import httpx
import pytest

from functionary_sgl.cli import progress
from tests.waiting import until

SLOW = {"match": "slow", "turn": "all\nHello, how are you?", "chunk": "char", "delay": 0.15}
NEVER = {"match": "never", "turn": "all\nHello!", "fault": "stall", "after": 1}
SCRIPT = {"replies": [SLOW, NEVER, {"match": "", "turn": "all\nHello!"}]}


def of(text: str, **fields: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": text}]
    return {"model": "functionary-nano", "messages": messages} | fields


class Asking(threading.Thread):
    """A request on a connection of its own, and what came of it; `begun` when something has."""

    def __init__(self, url: str, body: dict[str, Any]) -> None:
        super().__init__()
        self.begun = threading.Event()
        self.status = 0
        self.lines: list[str] = []
        self._request = "POST", f"{url}/v1/chat/completions", body
        self.start()

    def run(self) -> None:
        method, url, body = self._request
        with httpx.stream(method, url, json=body, timeout=30, verify=False) as response:
            self.status = response.status_code
            for line in response.iter_lines():
                if line:
                    self.lines.append(line)
                self.begun.set()

    def done(self) -> list[str]:
        self.join(30)
        return self.lines


def test_while_it_drains_it_is_not_ready_and_loses_nothing_that_it_took(start: Any) -> None:
    server = start(SCRIPT, "--max-running-turns", "1", "--max-waiting-turns", "2")
    url = f"{server.url}/v1/chat/completions"
    with httpx.Client() as watcher, httpx.Client() as idle:
        assert watcher.get(f"{server.url}/ready").status_code == 200
        assert idle.get(f"{server.url}/health").status_code == 200
        running = Asking(server.url, of("slow", stream=True))
        assert running.begun.wait(10)
        waiting = [Asking(server.url, of("slow", stream=stream)) for stream in (True, False)]
        until_full(watcher, server.url)
        server.process.send_signal(signal.SIGTERM)
        until_draining(watcher, server.url)
        assert watcher.get(f"{server.url}/health").status_code == 200
        for client in (idle, httpx.Client()):  # connections of before, and new ones
            refused = client.post(url, json=of("Hi"))
            assert refused.status_code == 503
            assert "about to stop" in refused.json()["error"]["message"]
            assert refused.headers["connection"] == "close"
            client.close()
        assert running.done()[-1] == waiting[0].done()[-1] == "data: [DONE]"
        whole = json.loads(waiting[1].done()[0])
        assert whole["choices"][0]["message"]["content"] == "Hello, how are you?"
    assert server.ended() == (0, "")


def until_full(client: httpx.Client, url: str) -> None:
    until(lambda: "as many" in client.get(f"{url}/ready").text)


def until_draining(client: httpx.Client, url: str) -> None:
    until(lambda: "about to stop" in client.get(f"{url}/ready").text)


@pytest.mark.parametrize(
    ("text", "status", "log"),
    [("slow", "completed", ""), ("never", "failed", "functionary-sgl: answers cut short: 1\n")],
)
def test_what_is_made_in_the_background_is_waited_for_as_well(
    start: Any, tmp_path: Any, text: str, status: str, log: str
) -> None:
    flags = [f"--store-file={tmp_path / 'responses'}", "--drain-timeout=4"]
    asked = {"model": "functionary-nano", "input": text, "background": True}
    server = start(SCRIPT, *flags)
    made = httpx.post(f"{server.url}/v1/responses", json=asked).json()
    assert made["status"] == "in_progress"
    server.process.send_signal(signal.SIGTERM)
    assert server.ended() == (0, log)
    path = f"/v1/responses/{made['id']}"
    found = httpx.get(f"{start(SCRIPT, *flags).url}{path}").json()
    assert found["status"] == status
    if text == "never":
        assert "was stopped" in found["error"]["message"]
    else:
        assert found["output"][0]["content"][0]["text"] == "Hello, how are you?"


@pytest.mark.parametrize("numbers", [("SIGTERM", "SIGTERM"), ("SIGINT", "SIGINT")])
def test_a_second_signal_does_not_wait(start: Any, numbers: tuple[str, str]) -> None:
    """Neither for those that run nor for those that wait; both are told."""
    server = start(SCRIPT, "--max-running-turns", "1", "--max-waiting-turns", "1")
    running = Asking(server.url, of("never", stream=True))
    assert running.begun.wait(10)
    waiting = Asking(server.url, of("never"))
    with httpx.Client() as client:
        until_full(client, server.url)
        server.process.send_signal(getattr(signal, numbers[0]))
        until_draining(client, server.url)
        server.process.send_signal(getattr(signal, numbers[1]))
        assert "was stopped" in running.done()[-1]
        assert "was stopped" in waiting.done()[-1]
        assert waiting.status == 503
    assert server.ended() == (0, "functionary-sgl: answers cut short: 2\n")


def test_whoever_waits_when_the_time_for_it_is_over_is_told(start: Any) -> None:
    server = start(
        SCRIPT, "--max-running-turns", "1", "--max-waiting-turns", "1", "--drain-timeout", "1"
    )
    running = Asking(server.url, of("never", stream=True))
    assert running.begun.wait(10)
    waiting = Asking(server.url, of("never", stream=True))
    with httpx.Client() as client:
        until_full(client, server.url)
    server.process.send_signal(signal.SIGTERM)
    assert "was stopped" in running.done()[-1]
    assert "was stopped" in waiting.done()[-1]
    assert waiting.status == 503  # nothing had come yet
    assert server.ended()[0] == 0


def test_bounds_and_deadlines_are_settings(start: Any) -> None:
    server = start(
        SCRIPT,
        "--max-running-turns=1",
        "--max-waiting-turns=0",
        "--request-timeout=1",
    )
    running = Asking(server.url, of("never"))
    with httpx.Client(base_url=server.url) as client:
        until_full(client, server.url)
        assert client.get("/health").status_code == 200
        refused = client.post("/v1/chat/completions", json=of("Hi"))
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1
        assert "timeout" in running.done()[-1]
        assert running.status == 504
        assert client.post("/v1/chat/completions", json=of("Hi")).status_code == 200


@pytest.mark.parametrize("seconds", [1, 60])
def test_how_long_a_connection_is_idle_is_a_setting(start: Any, seconds: int) -> None:
    """uvicorn's own five seconds would have closed it under a load balancer's request."""
    server = start(SCRIPT, f"--timeout-keep-alive={seconds}")
    closed = []

    def trace(name: str, info: Any) -> None:
        if name == "connection.close.complete" or name.endswith("connect_tcp.started"):
            closed.append(name)

    with httpx.Client() as client:
        for _ in range(2):
            extensions = {"trace": trace}
            client.get(f"{server.url}/health", extensions=extensions).raise_for_status()
            time.sleep(2)
    connects = sum(name.endswith("connect_tcp.started") for name in closed)
    assert connects == (2 if seconds == 1 else 1)


def test_a_start_that_takes_long_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "STILL_SECONDS", 0.01)
    with progress.told("loading m"):
        until(lambda: "so far" in told(capsys))
    assert told(capsys) == "functionary-sgl: loading m: done in 0 s\n"


def told(capsys: pytest.CaptureFixture[str]) -> str:
    out, err = capsys.readouterr()
    assert out == ""
    return err.replace("functionary-sgl: loading m: 0 s so far\n", "", 0)

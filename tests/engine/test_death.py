"""The last tests of the session: processes die or hang, and are gone with all that they had."""

import json
import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil

from functionary_sgl.engines.sglang.leftovers import _mapped
from tests.engine.conftest import RunningEngine
from tests.engine.test_client import endless
from tests.hostile import body
from tests.waiting import until

NOTICED_SECONDS = 2
"""How long a death may go unnoticed."""


class Reading(threading.Thread):
    """An endless stream, of which something has come."""

    def __init__(self, engine: RunningEngine, **fields: Any) -> None:
        super().__init__()
        self._url = f"{engine.url}/v1/chat/completions"
        self._body = endless(max_tokens=7000, stream=True, **fields)
        self._begun = threading.Event()
        self._lines: list[str] = []
        self.start()
        assert self._begun.wait(30)

    def run(self) -> None:
        request = httpx.stream("POST", self._url, json=self._body, timeout=90)
        with suppress(httpx.TransportError), request as response:  # a server killed says nothing
            for line in response.iter_lines():
                self._lines.append(line)
                self._begun.set()

    def error(self) -> str:
        """What ended it."""
        self.join(90)
        last = [line for line in self._lines if line][-1]
        message: str = json.loads(last.removeprefix("data: "))["error"]["message"]
        return message


class Traces:
    """What belongs to a server that runs, or to an engine: processes, of which there are so many at
    `least`, also the one that waits for its end, and files in shared memory."""

    def __init__(self, pid: int, least: int = 4) -> None:
        server = psutil.Process(pid)
        self._processes = server.children(recursive=True)
        pipes = set(_opened(server))
        for other in psutil.process_iter(["cmdline"]):
            swept = "sweeper.py" in " ".join(other.info["cmdline"] or [])
            if swept and pipes & set(_opened(other)):
                self._processes.append(other)
        pids = [server.pid, *(process.pid for process in self._processes)]
        self._files = {file for pid in pids for file in _mapped(pid)}
        assert len(self._processes) >= least  # a scheduler, a detokenizer, a sandbox, a sweeper
        assert self._files

    def process(self, name: str) -> psutil.Process:
        living = [p for p in self._processes if _lives(p)]
        (found,) = [p for p in living if name in " ".join(p.cmdline())]
        return found

    def are_gone(self) -> None:
        """Wait for that; the server itself is."""
        until(lambda: not [p for p in self._processes if _lives(p)], 20)
        until(lambda: not [file for file in self._files if Path(file).exists()], 10)


def _opened(process: psutil.Process) -> list[str]:
    directory = f"/proc/{process.pid}/fd"
    found = []
    with suppress(OSError):
        for name in os.listdir(directory):
            with suppress(OSError):
                found.append(os.readlink(f"{directory}/{name}"))
    return [target for target in found if target.startswith("pipe:")]


def _lives(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def test_a_sandbox_that_dies_is_there_again_before_anybody_asks(engine: RunningEngine) -> None:
    ask_with_schema(engine, 11)  # the first schema starts one
    before = {p.pid for p in sandboxes(engine)}
    assert before
    for process in sandboxes(engine):
        process.kill()
    # Whatever keeps a process notices its end at once; what takes longer is to start another, whose
    # libraries are read behind this.
    until(lambda: len({p.pid for p in sandboxes(engine)} - before) == len(before), NOTICED_SECONDS)
    assert engine.http.get("/ready").status_code == 200
    ask_with_schema(engine, 7)


def ask_with_schema(engine: RunningEngine, factor: int) -> None:
    schema = {"properties": {"a": {"type": "integer", "multipleOf": factor}}}
    request = json.loads(body(json.dumps(schema), max_tokens=5))
    del request["model"]
    assert engine.http.post("/v1/chat/completions", json=request).status_code == 200


def sandboxes(engine: RunningEngine) -> list[psutil.Process]:
    children = psutil.Process(engine.process.pid).children()
    return [p for p in children if _lives(p) and "worker.py" in " ".join(p.cmdline())]


def test_an_engine_that_dies_ends_streams_with_an_error_and_the_process_with_its_reason(
    engine: RunningEngine,
) -> None:
    dies(engine, "scheduler")


def test_so_does_a_detokenizer_that_dies(seeing: RunningEngine) -> None:
    dies(seeing, "detokenizer", model="llava")


def dies(engine: RunningEngine, name: str, **fields: Any) -> None:
    stream, traces = Reading(engine, **fields), Traces(engine.process.pid)
    begun = time.monotonic()
    traces.process(name).kill()
    assert "died" in stream.error()
    assert time.monotonic() - begun < NOTICED_SECONDS
    assert engine.ended(60) == 1
    assert f"A process of the engine died, {name}" in engine.log.read_text()
    assert "exit code -9" in engine.log.read_text()
    traces.are_gone()


def test_an_engine_that_hangs_is_told_and_ended(adapted: RunningEngine) -> None:
    stream, traces = Reading(adapted), Traces(adapted.process.pid)
    traces.process("scheduler").suspend()
    assert stream.error() == "The engine hangs: it has computed nothing for 20 seconds."
    assert adapted.ended(60) == 1
    assert "The engine hangs" in adapted.log.read_text()
    traces.are_gone()


def test_nothing_is_left_of_a_server_that_is_killed(killed: RunningEngine) -> None:
    stream, traces = Reading(killed), Traces(killed.process.pid)
    killed.process.send_signal(signal.SIGKILL)
    killed.process.communicate()
    traces.are_gone()
    stream.join(30)

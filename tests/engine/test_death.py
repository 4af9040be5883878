"""The last test of the session: the engine dies."""

import json
import threading

import httpx
import psutil

from tests.engine.conftest import RunningEngine
from tests.engine.test_client import endless


def test_an_engine_that_dies_ends_streams_with_an_error_and_the_process_with_its_reason(
    engine: RunningEngine,
) -> None:
    begun, told = threading.Event(), []

    def read() -> None:
        body = endless(max_tokens=7000, stream=True)
        url = f"{engine.url}/v1/chat/completions"
        with httpx.stream("POST", url, json=body, timeout=30) as response:
            for line in response.iter_lines():
                told.append(line)
                begun.set()

    thread = threading.Thread(target=read)
    thread.start()
    assert begun.wait(20)
    children = psutil.Process(engine.process.pid).children()
    (scheduler,) = [child for child in children if "scheduler" in child.cmdline()[0]]
    scheduler.kill()
    thread.join(30)
    last = [line for line in told if line][-1]
    assert "died" in json.loads(last.removeprefix("data: "))["error"]["message"]
    assert engine.ended(60) == 1
    assert "A process of the engine died" in engine.log.read_text()

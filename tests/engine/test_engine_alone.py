"""`functionary-sgl engine`: how it ends."""

import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.engine.elsewhere import END_SECONDS, Engine
from tests.engine.test_death import Traces

PARTS = 3
"""A scheduler, a detokenizer, and who waits for the end."""

NUMBER = 2
"""Others have two that run at the same time."""


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(NUMBER, tmp_path / "log")
    yield engine.ready()
    if engine.process.poll() is None:
        engine.kill()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGKILL, -9)])
def test_nothing_is_left_of_an_engine(alone: Engine, number: int, code: int) -> None:
    traces = Traces(alone.process.pid, PARTS)
    sampling = {"max_new_tokens": 4}
    asked = {"text": "Hi", "sampling_params": sampling}
    answered = httpx.post(f"{alone.url}/generate", json=asked, timeout=60)
    assert answered.json()["meta_info"]["completion_tokens"] == 4
    alone.process.send_signal(number)
    assert alone.process.wait(END_SECONDS) == code, alone.log.read_text()
    assert "Traceback" not in alone.log.read_text()
    traces.are_gone()


def test_one_that_was_never_asked_ends_in_order_too(alone: Engine) -> None:
    traces = Traces(alone.process.pid, PARTS)
    alone.process.terminate()
    assert alone.process.wait(END_SECONDS) == 0, alone.log.read_text()
    traces.are_gone()

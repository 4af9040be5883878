"""One model on several machines: here two processes of one, which meet as machines do."""

import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import openai
import pytest

from tests.cli.process import Process
from tests.conftest import WEATHER
from tests.engine.elsewhere import END_SECONDS, ENVIRONMENT, PACKAGE, free_port


class Machine(Process):
    """One of two, each with half of the model; only that of rank 0 serves when it is ready."""

    def __init__(self, rank: int, meeting: str, log: Path) -> None:
        self.port = free_port()
        flags = ["--tp-size=2", "--nnodes=2", meeting, "--dtype=float32", f"--node-rank={rank}"]
        arguments = ["serve", *flags, f"--port={self.port}"]
        super().__init__(log, arguments, ENVIRONMENT, PACKAGE, banner=False)


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[list[Machine]]:
    meeting = f"--dist-init-addr=127.0.0.1:{free_port()}"
    started = [Machine(rank, meeting, tmp_path / f"{rank}.log") for rank in range(2)]
    yield started
    for machine in started:
        machine.process.terminate()
        machine.process.communicate()


def test_the_first_machine_serves_and_ends_the_others(machines: list[Machine]) -> None:
    first, other = machines
    first.wait()
    client = openai.OpenAI(base_url=f"{first.url}/v1", api_key="none")
    answer = client.chat.completions.create(
        model="functionary-nano",
        messages=[{"role": "user", "content": "What is the weather for Istanbul?"}],
        tools=[WEATHER],  # type: ignore[list-item]
        tool_choice="required",
    )
    (call,) = answer.choices[0].message.tool_calls or ()
    assert call.type == "function"
    assert call.function.name == "get_current_weather"
    assert httpx.get(f"http://127.0.0.1:{other.port}/health").status_code == 200

    other.process.send_signal(signal.SIGTERM)  # it waits for the first one
    first.process.send_signal(signal.SIGTERM)
    for machine in machines:
        code, log = machine.ended(END_SECONDS)
        assert code == 0, log
        assert "Traceback" not in log

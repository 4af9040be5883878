"""One model on several machines: here two processes of one, which meet as machines do."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import httpx
import openai
import pytest

from tests.conftest import WEATHER
from tests.paths import ROOT


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def machines() -> Iterator[list[subprocess.Popen[str]]]:
    """The first one and another, each with half of the model; `args` ends with its port."""
    meeting = f"--dist-init-addr=127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "functionary_sgl", "serve"]
    flags = ["--tp-size=2", "--nnodes=2", meeting, "--dtype=float32"]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    started = [
        subprocess.Popen(
            [*command, *flags, f"--node-rank={rank}", "--port", str(free_port())],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for rank in range(2)
    ]
    yield started
    for process in started:
        process.terminate()
        process.communicate()


def test_the_first_machine_serves_and_ends_the_others(
    machines: list[subprocess.Popen[str]],
) -> None:
    first, other = machines
    assert first.stdout is not None
    address = [first.stdout.readline() for _ in range(4)][2]
    assert address, first.communicate()[1]
    client = openai.OpenAI(base_url=address.split()[-1], api_key="none")
    answer = client.chat.completions.create(
        model="functionary-nano",
        messages=[{"role": "user", "content": "What is the weather for Istanbul?"}],
        tools=[WEATHER],  # type: ignore[list-item]
        tool_choice="required",
    )
    (call,) = answer.choices[0].message.tool_calls or ()
    assert call.type == "function"
    assert call.function.name == "get_current_weather"
    port = other.args[-1]  # type: ignore[index]
    assert httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200

    other.send_signal(signal.SIGTERM)  # it waits for the first one
    first.send_signal(signal.SIGTERM)
    for process in machines:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        assert "Traceback" not in errors

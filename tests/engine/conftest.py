"""One running SGLang for the whole test session: it takes most of a minute to start."""

import os
import subprocess
import sys
from collections.abc import Iterator

import httpx
import openai
import pytest

from tests.paths import ROOT

SERVER = ROOT / "tests" / "engine" / "server.py"


class RunningEngine:
    """The server's process, started with `flags`, its address and a client."""

    def __init__(self, *flags: str) -> None:
        # Without compiled modules SGLang takes three times as long to start.
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPATH"] = str(ROOT)
        # Two threads of so small a model wait for each other more than they compute.
        environment["OMP_NUM_THREADS"] = "1"
        self.process = subprocess.Popen(
            # In float32 no two tokens tie, and a batch's size does not tip what is likeliest.
            [
                sys.executable,
                str(SERVER),
                "--port",
                "0",
                "--dtype",
                "float32",
                "--grammar-cache-mb",
                "16",
                *flags,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert self.process.stdout is not None
        self.banner = [self.process.stdout.readline() for _ in range(4)]
        if not self.banner[-1]:
            _, errors = self.process.communicate()
            pytest.exit(f"the server did not start:\n{errors}", returncode=1)
        self.url = self.banner[2].split()[-1].removesuffix("/v1")
        self.client = openai.OpenAI(base_url=f"{self.url}/v1", api_key="none", max_retries=0)

    def client_as(self, format: str) -> openai.OpenAI:
        """A client of the same engine, served with another format."""
        if format == "v3.llama3":
            return self.client
        return self.client.with_options(base_url=f"{self.url}/as/{format}/v1")

    def held(self) -> int:
        """How many requests the engine holds."""
        count: int = httpx.get(f"{self.url}/held").json()
        return count

    def stop(self) -> None:
        """As SIGTERM does: processes that a killed server leaves behind would hold its pipes."""
        self.client.close()
        self.process.terminate()
        self.process.communicate(timeout=60)


@pytest.fixture(scope="session")
def engine() -> Iterator[RunningEngine]:
    running = RunningEngine()
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def keeps_the_contract(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test's server sends against OpenAI's contract fails the test."""
    yield
    for name in {"engine", "adapted"} & set(request.fixturenames):
        running: RunningEngine = request.getfixturevalue(name)
        if running.process.poll() is None:
            assert httpx.get(f"{running.url}/violations").json() == []

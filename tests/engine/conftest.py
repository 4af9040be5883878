"""Running SGLangs for the whole test session: each takes most of a minute to start.

All that the session's tests need start at once, while tests run that need none: most of a start is
the import of SGLang, by processes that wait for each other.
"""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import openai
import pytest

from functionary_sgl.engines.sglang.grammars import Grammars
from functionary_sgl.prompt.checkpoint import EMBEDDED
from tests.paths import ROOT
from tests.serving import connect
from tests.test_docs import blocks

SERVER = ROOT / "tests" / "engine" / "server.py"
GRAMMARS = Grammars(1)
"""What is told of those that SGLang keeps in this process."""
PIRATE = EMBEDDED.parent / "nano-pirate"
# SGLang draws its port for torch's processes from these; ours must not meet.
FIRST_PORT, PORTS = 22_000, 2_000


class RunningEngine:
    """The process of server `number` of the session, which starts with `flags` and writes what it
    has to complain of into `log`; when it is `ready`, its address and clients."""

    def __init__(self, number: int, log: Path, *flags: str) -> None:
        # Without compiled modules SGLang takes three times as long to start.
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPATH"] = str(ROOT)
        port = FIRST_PORT + PORTS * number + os.getpid() % PORTS
        command = [sys.executable, str(SERVER), "--port=0", f"--nccl-port={port}"]
        # In float32 no two tokens tie, and a batch's size does not tip what is likeliest.
        command += ["--dtype=float32", "--grammar-cache-mb=16", *flags]
        self.log = log
        # Not a pipe: whoever writes into a full one waits for a reader.
        with log.open("w") as errors:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment
            )

    def ready(self) -> "RunningEngine":
        """Wait for the server to have started; without it the session ends."""
        assert self.process.stdout is not None
        self.banner = [self.process.stdout.readline() for _ in range(4)]
        if not self.banner[-1]:
            self.process.communicate()
            pytest.exit(f"the server did not start:\n{self.log.read_text()}", returncode=1)
        self.url = self.banner[2].split()[-1].removesuffix("/v1")
        self.http, self.client = connect(self.url)
        return self

    def ended(self, seconds: float) -> int:
        """The exit code of the process, which ends by itself in so many seconds; if it does not,
        the test fails with what each of its threads does."""
        try:
            self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)
            self.process.communicate()
            pytest.fail(f"the server did not end in {seconds} s:\n{self.log.read_text()}")
        return self.process.returncode

    def client_as(self, format: str) -> openai.OpenAI:
        """A client of the same engine, served with another format."""
        if format == "v3.llama3":
            return self.client
        return self.client.with_options(base_url=f"{self.url}/as/{format}/v1")

    def held(self) -> int:
        """How many requests the engine holds."""
        count: int = self.http.get("/held").json()
        return count

    def violations(self) -> list[str]:
        """What was sent against OpenAI's contract since this was last asked."""
        found: list[str] = self.http.get("/violations").json()
        return found


def _enable_lora() -> list[str]:
    """The flags with which docs/adapters.md starts a server without an adapter."""
    commands = blocks("sh", ROOT / "docs" / "adapters.md")
    (command,) = [one for one in commands if "--enable-lora" in one]
    return shlex.split(shlex.split(command)[-1].removeprefix("ARGS="))


class Servers:
    """Servers by the names of the fixtures that give them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._started: dict[str, RunningEngine] = {}
        self._ready: dict[str, RunningEngine] = {}

    def start(self, name: str) -> None:
        number = len(self._started)
        log = self._directory / f"{name}.log"
        self._started[name] = RunningEngine(number, log, *self._flags(name))

    def _flags(self, name: str) -> list[str]:
        if name == "adapted":
            flags = ["--engine-timeout=20", "--enable-metrics"]
            return ["--lora-modules", f"pirate={PIRATE}", *flags]
        if name == "seeing":
            from tests.engine import llava

            model = self._directory / "llava"
            llava.build(model)
            # SGLang gives a LLaVA images in half precision, so the rest of it has to be.
            flags = ["--dtype=float16", "--served-model-name=llava"]
            flags += ["--allowed-media-domains", "127.0.0.1"]
            return [f"--model-path={model}", *flags]
        if name == "numberless":
            from tests.engine import numberless

            model = self._directory / "numberless"
            numberless.build(model)
            return [f"--model-path={model}"]
        if name == "killed":
            return _enable_lora()
        return []

    def started(self, name: str) -> RunningEngine:
        return self._started[name]

    def ready(self, name: str) -> RunningEngine:
        if name not in self._ready:
            self._ready[name] = self._started[name].ready()
        return self._ready[name]

    def close(self) -> None:
        """As SIGTERM does: processes that a killed server leaves behind would hold its pipes."""
        for ready in self._ready.values():
            ready.http.close()
            ready.client.close()
        for running in self._started.values():
            running.process.terminate()
        for running in self._started.values():
            running.process.communicate(timeout=60)


NAMES = ["engine", "adapted", "seeing", "numberless", "killed"]


def _needed(item: pytest.Item) -> set[str]:
    return set(NAMES) & set(getattr(item, "fixturenames", ()))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that need no server first, while servers start, and last those that kill their own."""
    items.sort(key=lambda item: (item.path.stem == "test_death", bool(_needed(item))))


@pytest.fixture(scope="session", autouse=True)
def servers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Servers]:
    needed = set().union(*map(_needed, request.session.items))
    with closing(Servers(tmp_path_factory.mktemp("servers"))) as started:
        for name in NAMES:
            if name in needed:
                started.start(name)
        yield started


@pytest.fixture(scope="session")
def engine(servers: Servers) -> RunningEngine:
    """functionary-nano."""
    return servers.ready("engine")


@pytest.fixture(scope="session")
def adapted(servers: Servers) -> RunningEngine:
    """functionary-nano, and an adapter for it; SGLang's own metrics are on."""
    return servers.ready("adapted")


@pytest.fixture(scope="session")
def seeing(servers: Servers) -> RunningEngine:
    """A LLaVA: functionary-nano with a vision tower of random weights."""
    return servers.ready("seeing")


@pytest.fixture(scope="session")
def numberless(servers: Servers) -> RunningEngine:
    """A model whose weights give no numbers; it will not be ready."""
    return servers.started("numberless")


@pytest.fixture(scope="session")
def killed(servers: Servers) -> RunningEngine:
    """functionary-nano without an adapter, which takes some; in the end it is killed."""
    return servers.ready("killed")


@pytest.fixture(autouse=True)
def keeps_the_contract(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test's server sends against OpenAI's contract fails the test."""
    yield
    for name in _needed(request.node):
        running: RunningEngine = request.getfixturevalue(name)
        if running.process.poll() is None:
            assert running.violations() == []


@pytest.fixture(scope="session")
def hooks() -> None:
    """What hangs on SGLang's hooks in its scheduler process, in this one."""
    from sglang.srt.plugins import load_plugins

    from functionary_sgl.engines.sglang.scheduler import (
        batch,
        finite,
        grammar_cache,
        mask,
        nucleus,
        seeds,
    )

    grammar_cache.bound(5_000_000, GRAMMARS.place(0))
    batch.know((3, 5), 899)
    finite.fence()
    mask.on_processors()
    nucleus.on_processors()
    seeds.obey()
    load_plugins()

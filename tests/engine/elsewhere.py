"""Engines as machines of their own would have them: processes of this one, on loopback."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from tests.cli.process import Process
from tests.paths import ROOT
from tests.serving import connect

START_SECONDS = 240
END_SECONDS = 60

PACKAGE = ("-m", "functionary_sgl")

OURS = (*PACKAGE, "engine", "--grammar-cache-mb=16")
"""An engine that this package starts."""

FIRST_PORT, PORTS = 10_000, 2_000
"""Of the ports at which the parts of SGLang's engines meet; those of other tests are above."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


ENVIRONMENT = {
    # Without compiled modules SGLang takes three times as long to start.
    "PYTHONDONTWRITEBYTECODE": "",
    "PYTHONPATH": str(ROOT),
    # Threads of so small a model wait for each other more than they compute.
    "OMP_NUM_THREADS": "1",
}


class Engine:
    """The process of engine `number`, which Python runs with the arguments `program`."""

    def __init__(self, number: int, log: Path, program: Sequence[str] = OURS, *flags: str) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.log = log
        meeting = FIRST_PORT + PORTS * number + os.getpid() % PORTS
        command = [sys.executable, *program, "--port", self.url.rpartition(":")[2]]
        # In float32 no two tokens tie, and a batch's size does not tip what is likeliest.
        command += ["--dtype=float32", f"--nccl-port={meeting}", "--max-total-tokens=32768"]
        command += ["--enable-metrics", *flags]
        with log.open("w") as errors:
            self.process = subprocess.Popen(
                command,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=os.environ | ENVIRONMENT,
                start_new_session=True,
            )

    def ready(self) -> "Engine":
        """Wait until it answers."""
        end = time.monotonic() + START_SECONDS
        while True:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, self.log.read_text()
            try:
                if httpx.get(f"{self.url}/model_info", timeout=5).status_code == 200:
                    return self
            except httpx.TransportError:
                pass
            time.sleep(0.5)

    def counted(self, name: str) -> float:
        """The sum of SGLang's series of this name."""
        text = httpx.get(f"{self.url}/metrics").text
        found = re.findall(rf"^sglang:{name}(?:{{.*}})? (\S+)$", text, re.M)
        return sum(map(float, found))

    def running(self) -> int:
        """How many requests it holds."""
        (load,) = httpx.get(f"{self.url}/v1/loads").json()["loads"]
        return int(load["num_running_reqs"]) + int(load["num_waiting_reqs"])

    def kill(self) -> None:
        """As a machine that is switched off; its processes are a session of their own."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def end(self) -> int:
        """The exit code, after SIGTERM."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(END_SECONDS)


class Server:
    """A server before engines at `urls`, with clients of it when it is ready."""

    def __init__(self, log: Path, urls: Sequence[str], *flags: str) -> None:
        self.log = log
        arguments = ["serve", "--port=0", *flags, "--engine-url", *urls]
        self._process = Process(log, arguments, ENVIRONMENT, PACKAGE)
        self.process = self._process.process
        self.url = self._process.url
        self.http, self.client = connect(self.url)

    def end(self) -> int:
        """The exit code, after SIGTERM."""
        self.http.close()
        self.client.close()
        self.process.terminate()
        return self._process.ended(END_SECONDS)[0]

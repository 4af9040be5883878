"""The server that is attacked: a process with a log."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

from functionary_sgl.prompt import checkpoint

ROOT = Path(__file__).parent.parent.parent
WORDS = " ".join(f"word{number}" for number in range(60))
REPLIES = (
    {"match": "endless", "turn": f"all\n{' '.join([WORDS] * 100)}", "delay": 0.02},
    {"match": "much", "turn": f"all\n{' '.join([WORDS] * 20)}", "delay": 0.002},
    {"match": "some", "turn": f"all\n{WORDS}", "delay": 0.002},
    {"match": "", "turn": "all\nHello there, how are you?"},
)

_END = checkpoint.load(str(checkpoint.EMBEDDED)).tokenizer.control_ids["<|eot_id|>"]
LASTING = {"max_tokens": 7000, "logit_bias": {str(_END): -100}}
"""Fields with which an answer of the embedded model does not end by itself."""

NICENESS = 15
T = TypeVar("T")


class Target:
    """A server with the scripted or the real engine, started with `flags`. `replies` are those of
    the script."""

    def __init__(
        self,
        engine: str,
        *flags: str,
        replies: Sequence[Mapping[str, Any]] = REPLIES,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.engine = engine
        self._directory = tempfile.TemporaryDirectory()
        self.log_file = Path(self._directory.name) / "log"
        command = [sys.executable, str(ROOT / "server_sglang.py"), "--port", "0", *flags]
        if engine == "scripted":
            script = Path(self._directory.name) / "script.json"
            script.write_text(json.dumps({"replies": list(replies)}))
            command += ["--engine", "scripted", "--script", str(script)]
        clean = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        with self.log_file.open("w") as log:
            self.process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=clean | dict(environment or {}),
            )
        assert self.process.stdout is not None
        banner = [self.process.stdout.readline() for _ in range(4)]
        if not banner[2]:
            sys.exit(f"the server did not start:\n{self.log}")
        self.model = banner[0].split()[1].rstrip(",")
        self.url = banner[2].split()[-1].removesuffix("/v1")
        self.host, port = self.url.removeprefix("http://").split(":")
        self.port = int(port)

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def chat(self, text: str = "Hi", **fields: Any) -> dict[str, Any]:
        """A request that says `text`."""
        return {"model": self.model, "messages": [{"role": "user", "content": text}], **fields}

    def post(self, body: Any, **options: Any) -> httpx.Response:
        """The answer to `body`: an object, or bytes as they are."""
        headers = {"content-type": "application/json"} | options.pop("headers", {})
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        url = f"{self.url}/v1/chat/completions"
        return httpx.post(url, content=content, headers=headers, timeout=120, **options)

    def megabytes(self) -> float:
        """Of memory that the process which serves holds."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 1e6

    def processes(self) -> list[psutil.Process]:
        """It and all of its children."""
        own = psutil.Process(self.process.pid)
        return [own, *own.children(recursive=True)]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send the signal, and wait for the end; the exit code."""
        self.process.send_signal(number)
        self.process.communicate(timeout=90)
        return self.process.returncode

    def close(self) -> None:
        if self.process.poll() is None:
            self.stop()
        self._directory.cleanup()


def elsewhere(work: Callable[[], T]) -> T:
    """What `work` gives, done by a thread that takes little from the server: clients have machines
    of their own."""

    def done() -> T:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        return work()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(done).result()

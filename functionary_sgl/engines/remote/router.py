"""SGLang's router, before several engines: it sends requests where their prefix is in a cache.

Source: https://docs.sglang.io/advanced_features/router.html
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.util import find_spec

from functionary_sgl.errors import UsageError
from functionary_sgl.sandbox.walls import die_with_parent

EXTRA = "pip install functionary-sgl[router]"

_MODULE = "sglang_router"

_HOST = "127.0.0.1"

END_SECONDS = 5.0
"""How long it may take to end; then it is killed."""


class Router:
    """A process of its own before the engines at `urls`, which ends with this one. Raises
    UsageError if it is not installed."""

    def __init__(self, urls: Sequence[str], key: str | None) -> None:
        """`key`: that of the engines, which it asks whether they are there."""
        if find_spec(_MODULE) is None:
            raise UsageError(
                f"several --engine-url need SGLang's router ({EXTRA}), or one that runs elsewhere: "
                "then give its URL"
            )
        port, counting = _free_ports(2)
        self.url = f"http://{_HOST}:{port}"
        command = [sys.executable, "-m", f"{_MODULE}.launch_router", "--worker-urls", *urls]
        command += ["--host", _HOST, "--port", str(port), "--policy", "cache_aware"]
        command += ["--prometheus-host", _HOST, "--prometheus-port", str(counting)]
        command += ["--log-level", "error"]
        if key is not None:
            command += ["--api-key", key]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            # Ctrl-C is for the server, which ends it when the last answer has.
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )

    def lives(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def end(self) -> None:
        """Have it end, and wait for that."""
        self._process.terminate()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def _end_with_parent() -> None:
    die_with_parent(signal.SIGTERM)


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens at; another process may take them before we do."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((_HOST, 0))
        return [one.getsockname()[1] for one in sockets]

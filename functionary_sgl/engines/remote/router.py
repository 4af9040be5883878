"""SGLang's router, before several engines: it sends requests where their prefix is in a cache.

Source: https://docs.sglang.io/advanced_features/router.html
"""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from typing import Any

from functionary_sgl.errors import UsageError
from functionary_sgl.sandbox.walls import die_with_parent

EXTRA = "pip install functionary-sgl[router]"

_MODULE = "sglang_router"

_HOST = "127.0.0.1"

# Not by flags, which the process list shows: a key is among them.
_PROGRAM = """
import json, sys
from sglang_router.launch_router import launch_router
from sglang_router.router_args import RouterArgs
launch_router(RouterArgs(**json.load(sys.stdin)))
"""

_SETTINGS: dict[str, Any] = {
    "policy": "cache_aware",
    "log_level": "error",
    # By default an engine that is gone is found out after minutes.
    "worker_startup_check_interval": 2,
    "health_check_interval_secs": 5,
    "health_failure_threshold": 2,
    "health_success_threshold": 1,
    "cb_failure_threshold": 3,
    "cb_timeout_duration_secs": 10,
}

_STANDARD_ERROR = 2

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
        settings = _SETTINGS | {
            "worker_urls": list(urls),
            "host": _HOST,
            "port": port,
            "prometheus_host": _HOST,
            "prometheus_port": counting,
            "api_key": key,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=_STANDARD_ERROR,  # what it has to say is none of the server's answers
            # Ctrl-C is for the server, which ends it when the last answer has.
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )
        assert self._process.stdin is not None
        with self._process.stdin as given:
            given.write(json.dumps(settings).encode())

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

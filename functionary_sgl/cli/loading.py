"""What clients hear while the model is loaded.

The process that will serve imports, and waits for SGLang, for most of a minute. Another one answers
on the same socket meanwhile.
"""

import argparse
import multiprocessing
import signal
import socket

import uvicorn

from functionary_sgl.api.loading import create_app
from functionary_sgl.cli.connection import Connection
from functionary_sgl.sandbox.walls import die_with_parent

_END_SECONDS = 5
"""For answers that have begun."""


class Answering:
    """A process that answers on `listener`, as `options` have it, from `start` to `close`."""

    def __init__(self, listener: socket.socket, options: argparse.Namespace) -> None:
        self._listener = listener
        self._tls = options.ssl_keyfile, options.ssl_certfile
        self._process: multiprocessing.process.BaseProcess | None = None

    def start(self) -> None:
        """Begin to answer, within a second or two."""
        context = multiprocessing.get_context("spawn")
        arguments = self._listener, *self._tls
        self._process = context.Process(target=_answer, args=arguments, name="loading", daemon=True)
        self._process.start()

    def close(self) -> None:
        """Who comes now waits until somebody else listens."""
        if self._process is not None:
            self._process.terminate()
            self._process.join(_END_SECONDS)
            self._process.kill()
            self._process = None


def _answer(listener: socket.socket, keyfile: str | None, certfile: str | None) -> None:
    die_with_parent(signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to the server, too
    config = uvicorn.Config(
        create_app(),
        log_config=None,
        access_log=False,
        http=Connection,
        ws="none",
        lifespan="off",
        ssl_keyfile=keyfile,
        ssl_certfile=certfile,
        timeout_graceful_shutdown=_END_SECONDS - 1,
    )
    uvicorn.Server(config).run(sockets=[listener])

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
    """A process that answers on `listener`, as `options` have it, until `end`."""

    def __init__(self, listener: socket.socket, options: argparse.Namespace) -> None:
        tls = options.ssl_keyfile, options.ssl_certfile
        context = multiprocessing.get_context("spawn")
        self._process = context.Process(
            target=_answer, args=(listener, *tls), name="loading", daemon=True
        )
        self._process.start()

    def end(self) -> None:
        """Who comes now waits until somebody else listens. Called again it does nothing."""
        self._process.terminate()
        self._process.join(_END_SECONDS)
        self._process.kill()


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

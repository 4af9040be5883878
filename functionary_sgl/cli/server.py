"""The process that serves: its signals, its banner and its end."""

import argparse
import asyncio
import faulthandler
import gc
import signal
import socket
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import partial

import uvicorn
import uvloop

from functionary_sgl.api.app import create_app
from functionary_sgl.api.browsers import ANY
from functionary_sgl.api.keys import Keyring
from functionary_sgl.api.responses.background import Jobs
from functionary_sgl.api.responses.store import ResponseStore
from functionary_sgl.cli import logs
from functionary_sgl.cli.banner import banner
from functionary_sgl.cli.connection import Connection
from functionary_sgl.cli.http_flags import MIB
from functionary_sgl.cli.loading import Answering
from functionary_sgl.cli.rereading import Rereading
from functionary_sgl.errors import EngineDied, ServerStopping
from functionary_sgl.model import Model

LAST_WORDS_SECONDS = 2
"""The same when only error events are left to send."""

CLOSE_SECONDS = 1
"""How long connections may take to close, behind that."""

END_SECONDS = 20
"""How long the engine's processes and this one may take to end, behind the last answer. Then they
are left, and what hung is printed: a supervisor waits for the exit to start the server anew."""

LOOK_SECONDS = 0.05
"""How often those that drain are counted."""

GARBAGE = (10_000, 10, 5)
"""How many objects more there are before Python searches the youngest for garbage, after how many
such searches the older too, and after how many of these, all. A request leaves a hundred at most,
and a thousand streams are half a million: by Python's own numbers all answers stood still for
250 ms, again and again, while these began, and for 30 ms now and then while they went on."""

GIL_SECONDS = 0.001
"""How long a thread may compute while the event loop waits for its turn."""


def run(
    model: Model,
    options: argparse.Namespace,
    listener: socket.socket,
    rereading: Rereading,
    store: ResponseStore | None = None,
    loading: Answering | None = None,
) -> int:
    """Serve `model` on `listener` until it is told to stop (0) or the engine dies (1), with
    responses in `store`. Until then `loading` answers."""
    sys.setswitchinterval(GIL_SECONDS)
    gc.set_threshold(*GARBAGE)  # SGLang's --gc-threshold comes behind this
    keys, jobs = rereading.keyring, Jobs()
    app = create_app(
        model,
        keys,
        known_hosts(options, keys),
        options.allowed_origins,
        options.max_body_mb * MIB,
        options.request_timeout,
        store,
        jobs,
        not options.no_page,
    )
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level=options.log_level,
        access_log=False,  # api/recording.py says more, and no path of a client's
        http=partial(Connection, most=options.max_connections),  # type: ignore[arg-type]
        ws="none",
        lifespan="off",
        ssl_keyfile=options.ssl_keyfile,
        ssl_certfile=options.ssl_certfile,
        timeout_keep_alive=options.timeout_keep_alive,
        timeout_graceful_shutdown=CLOSE_SECONDS,
    )
    told = banner(model, listener, bool(options.ssl_certfile))
    server = _Server(config, model, told, options, jobs)
    with (
        logs.texts_kept_out(options.log_level),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        death = runner.run(_serve(server, model, listener, rereading, loading))
    return 0 if death is None else 1


async def _serve(
    server: "_Server",
    model: Model,
    listener: socket.socket,
    rereading: Rereading,
    loading: Answering | None,
) -> EngineDied | None:
    engine = model.engine
    asyncio.get_running_loop().set_exception_handler(logs.of_loop)
    rereading.start()
    server.heed_signals()
    try:
        await engine.ready(server.stop)
    except BaseException:
        await engine.close()
        raise
    server.heed_signals()  # the engine may have set handlers of its own
    model.gate.warm()
    # What is there now stays: the more of it, the longer a search for garbage stops all answers.
    gc.collect()
    gc.freeze()
    if loading is not None:
        await asyncio.to_thread(loading.close)
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    dying = asyncio.ensure_future(engine.died())
    await asyncio.wait({serving, dying}, return_when=asyncio.FIRST_COMPLETED)
    death = dying.result() if dying.done() else None
    if death is not None:
        logs.tell(str(death))
        model.admission.give_up(death)
        server.drain_seconds = 0
        server.stop()
    await serving
    dying.cancel()
    faulthandler.dump_traceback_later(END_SECONDS, exit=True)
    await engine.close()
    return death


class _Server(uvicorn.Server):
    """Prints its banner when it is ready, and ends by itself, not by the signal it was sent.

    drain_seconds: how long answers may take to end when it is told to stop.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        model: Model,
        banner: Mapping[str, str],
        options: argparse.Namespace,
        jobs: Jobs,
    ) -> None:
        super().__init__(config)
        self.drain_seconds: float = options.drain_timeout
        self._model, self._jobs = model, jobs
        self._banner, self._log_format = banner, options.log_format

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and self._log_format == "json":
            logs.tell("ready", **self._banner)
        elif self.started:
            print("\n".join(f"{name:9} {told}" for name, told in self._banner.items()), flush=True)

    def heed_signals(self) -> None:
        """End in order when the process is told to, and at once when it is told so again."""
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._signalled)

    def stop(self) -> None:
        """Take no more requests, let running answers end."""
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Whoever comes now hears why it is sent away, since the socket stays open: those that send
        # requests learn only by and by that this server takes no more.
        self._model.admission.close(
            ServerStopping("The server is about to stop; send this to another one, or later.")
        )
        await self._drained(self.drain_seconds)
        if self._left():
            self._give_up()
            await self._drained(LAST_WORDS_SECONDS, patient=True)
        await super().shutdown(sockets)

    async def _drained(self, seconds: float, patient: bool = False) -> None:
        """Wait so long for all answers to end; not `patient`: or until a second signal."""
        end = time.monotonic() + seconds
        while self._left() and time.monotonic() < end:
            if self.force_exit and not patient:
                return
            await asyncio.sleep(LOOK_SECONDS)

    def _left(self) -> int:
        """How many answers have not ended, those included that are made in the background."""
        return len(self.server_state.tasks) + len(self._jobs)

    def _give_up(self) -> None:
        """End the answers that are left with an error that their clients are told."""
        logs.tell(f"answers cut short: {self._left()}")
        why = ServerStopping("The server was stopped before this answer came to its end.")
        self._model.admission.give_up(why)
        self._model.engine.give_up(why)

    def _signalled(self) -> None:
        self.force_exit = self.should_exit
        self.stop()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Signals are heeded from before the engine is ready on, not as uvicorn does."""
        yield


def known_hosts(options: argparse.Namespace, keys: Keyring) -> list[str]:
    """The names that requests may come under: any where there are keys, for web pages of strangers
    have none; else those of this machine, if others can reach it, and those that were given."""
    if options.allowed_hosts is not None:
        return list(options.allowed_hosts)
    if keys:
        return [ANY]
    return [options.host, socket.gethostname()]

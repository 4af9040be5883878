"""The process that serves: its socket, its signals, its banner and its end."""

import argparse
import asyncio
import faulthandler
import json
import resource
import signal
import socket
import sys
from contextlib import ExitStack
from functools import partial
from types import FrameType

import uvicorn
import uvloop

from functionary_sgl.api.app import create_app
from functionary_sgl.api.browsers import ANY
from functionary_sgl.api.keys import Keyring
from functionary_sgl.api.limits import (
    MAX_BODIES_BYTES,
    MAX_BODY_BYTES,
    MAX_CONNECTIONS,
    READ_SECONDS,
)
from functionary_sgl.cli import flags, logs
from functionary_sgl.cli.connection import Connection
from functionary_sgl.cli.rereading import Rereading
from functionary_sgl.errors import EngineDied, ServerStopping, UsageError
from functionary_sgl.model import Model

DRAIN_SECONDS = 30
"""How long running answers may take to end when the server is told to stop, by default."""

LAST_WORDS_SECONDS = 2
"""The same when only error events are left to send."""

END_SECONDS = 20
"""How long the engine's processes and this one may take to end, behind the last answer. Then they
are left, and what hung is printed: a supervisor waits for the exit to start the server anew."""

OTHER_FILES = 256
"""Besides connections: pipes to the engine and the sandbox, a model's files while it is loaded."""

MIB = 2**20

SEND_BUFFER_BYTES = 256 * 1024

GIL_SECONDS = 0.001
"""How long a thread may compute while the event loop waits for its turn."""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that are about HTTP, but for the address, which others need too."""
    add = parser.add_argument
    add(
        "--allowed-hosts",
        nargs="+",
        metavar="NAME",
        help="names under which this server is known (.example.com: and all that end so); default: "
        "this machine's, or with keys any",
    )
    add(
        "--allowed-origins",
        nargs="+",
        metavar="ORIGIN",
        default=[],
        help="web pages that may use it, such as https://example.com; default: its own",
    )
    add(
        "--drain-timeout",
        type=_seconds,
        metavar="SECONDS",
        default=DRAIN_SECONDS,
        help=f"how long answers may take to end when it is told to stop; default: {DRAIN_SECONDS}",
    )
    add(
        "--max-connections",
        type=flags.positive,
        metavar="N",
        default=MAX_CONNECTIONS,
        help=f"clients beyond that are sent away; default: {MAX_CONNECTIONS}",
    )
    add(
        "--max-body-mb",
        type=_body_mb,
        metavar="N",
        default=MAX_BODY_BYTES // MIB,
        help=f"most MiB of a request's body; default: {MAX_BODY_BYTES // MIB}",
    )


def _seconds(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of seconds")
    return int(text)


def _body_mb(text: str) -> int:
    number, most = flags.positive(text), MAX_BODIES_BYTES // MIB
    if number > most:
        raise argparse.ArgumentTypeError(f"{number} MiB are too many; at most {most} can be taken")
    return number


def bind(host: str, port: int) -> socket.socket:
    """A socket bound to the address, not yet listening; UsageError if it cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with ExitStack() as unless_bound:
            listener = unless_bound.enter_context(socket.socket(family, kind, protocol))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # Connections inherit it: who takes nothing of what is sent is cut off.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, READ_SECONDS * 1000)
            # The kernel would take megabytes of an answer before anybody notices.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
            listener.bind(address)
            unless_bound.pop_all()
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot serve on {host} port {port}: {reason}") from error
    return listener


def allow_files(connections: int) -> None:
    """Have the process be allowed to open as many files as so many connections take."""
    wanted = connections + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and wanted > hard:
        raise UsageError(
            f"--max-connections {connections} takes {wanted} open files, and this process may have "
            f"{hard} (ulimit -Hn): give fewer, or allow it more"
        )
    if soft != resource.RLIM_INFINITY and wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def run(
    model: Model, options: argparse.Namespace, listener: socket.socket, rereading: Rereading
) -> int:
    """Serve `model` on `listener` until it is told to stop (0) or the engine dies (1)."""
    sys.setswitchinterval(GIL_SECONDS)
    keys = rereading.keyring
    app = create_app(
        model,
        keys,
        known_hosts(options, keys),
        options.allowed_origins,
        options.max_body_mb * MIB,
    )
    config = uvicorn.Config(
        app,
        log_level=options.log_level,
        access_log=options.log_level in ("debug", "info"),
        http=partial(Connection, most=options.max_connections),  # type: ignore[arg-type]
        ws="none",
        lifespan="off",
        ssl_keyfile=options.ssl_keyfile,
        ssl_certfile=options.ssl_certfile,
        timeout_graceful_shutdown=options.drain_timeout + LAST_WORDS_SECONDS,
    )
    server = _Server(config, model, banner(model, listener, bool(options.ssl_certfile)))
    with (
        logs.texts_kept_out(options.log_level),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        death = runner.run(_serve(server, model, listener, rereading))
    return 0 if death is None else 1


async def _serve(
    server: "_Server", model: Model, listener: socket.socket, rereading: Rereading
) -> EngineDied | None:
    engine = model.engine
    asyncio.get_running_loop().set_exception_handler(logs.of_loop)
    rereading.start()
    try:
        await engine.ready(server.stop)
    except BaseException:
        await engine.close()
        raise
    model.gate.warm()
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    dying = asyncio.ensure_future(engine.died())
    await asyncio.wait({serving, dying}, return_when=asyncio.FIRST_COMPLETED)
    death = dying.result() if dying.done() else None
    if death is not None:
        print(f"functionary-sgl: {death}", file=sys.stderr, flush=True)
        server.config.timeout_graceful_shutdown = LAST_WORDS_SECONDS
        server.stop()
    await serving
    dying.cancel()
    faulthandler.dump_traceback_later(END_SECONDS, exit=True)
    await engine.close()
    return death


class _Server(uvicorn.Server):
    """Prints its banner when it is ready, and ends by itself, not by the signal it was sent."""

    def __init__(self, config: uvicorn.Config, model: Model, banner: str) -> None:
        super().__init__(config)
        self._model = model
        self._banner = banner

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(self._banner, flush=True)

    def stop(self) -> None:
        """Take no more requests, let running answers end."""
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        drain = max(0, (self.config.timeout_graceful_shutdown or 0) - LAST_WORDS_SECONDS)
        timer = asyncio.get_running_loop().call_later(drain, self._give_up)
        try:
            await super().shutdown(sockets)
        finally:
            timer.cancel()
        if self.force_exit and self.server_state.tasks:
            self._give_up()
            await asyncio.wait(set(self.server_state.tasks), timeout=LAST_WORDS_SECONDS)

    def _give_up(self) -> None:
        """End the answers that are left with an error that their clients are told."""
        if count := len(self.server_state.tasks):
            print(f"functionary-sgl: answers cut short: {count}", file=sys.stderr, flush=True)
            self._model.engine.give_up(
                ServerStopping("The server was stopped before this answer came to its end.")
            )

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # SIGTERM may come twice, from uvicorn and through the engine; a second Ctrl-C means it.
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.stop()


def known_hosts(options: argparse.Namespace, keys: Keyring) -> list[str]:
    """The names that requests may come under: any where there are keys, for web pages of strangers
    have none; else those of this machine, if others can reach it, and those that were given."""
    if options.allowed_hosts is not None:
        return list(options.allowed_hosts)
    if keys:
        return [ANY]
    return [options.host, socket.gethostname()]


def banner(model: Model, listener: socket.socket, tls: bool) -> str:
    """A few lines: what is served, where, and how to try it."""
    host, port = listener.getsockname()[:2]
    base = f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"
    body = {"model": model.names[0], "messages": [{"role": "user", "content": "Hi!"}]}
    return (
        f"model     {', '.join([*model.names, *model.adapters])}\n"
        f"template  {model.prompter.format.name} ({model.reason})\n"
        f"address   {base}/v1\n"
        f"try       curl {base}/v1/chat/completions -H 'Content-Type: application/json' "
        f"-d '{json.dumps(body)}'"
    )

"""The beginning with engines elsewhere, of which the server wants to know before it serves."""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from functionary_sgl.engines.remote.connection import ANSWER_SECONDS, Connection, Lost
from functionary_sgl.engines.remote.engine import RemoteEngine
from functionary_sgl.engines.remote.peer import PLAIN, Peer, met
from functionary_sgl.engines.remote.router import Router
from functionary_sgl.errors import EngineError, EngineUnreachable, RequestError
from functionary_sgl.tokenizer import Tokenizer

START_SECONDS = 600.0
"""How long it may take until there is something at the address: engines load for minutes."""

_LOOK_SECONDS = 0.5


def start(
    urls: Sequence[str],
    key: str | None,
    directory: Path,
    tokenizer: Tokenizer,
    tell: Callable[[str], None],
    hang_seconds: float | None = None,
    start_seconds: float = START_SECONDS,
) -> RemoteEngine:
    """The engine at the one of `urls`, or several behind the router there; or those at each of
    several, with a router that is started before them. `tell` is for what whoever runs the
    server should know; the rest is as of `RemoteEngine`.

    Raises EngineUnreachable where nothing is there for so many seconds, UsageError where it cannot
    be used. Call it where no event loop runs.
    """
    router = Router(urls, key) if len(urls) > 1 else None
    url = router.url if router else urls[0]
    try:
        peer, engines = asyncio.run(found(url, key, directory, tokenizer, tell, start_seconds))
    except BaseException:
        if router is not None:
            router.end()
        raise
    if peer.plain:
        tell(PLAIN)
    return RemoteEngine(url, key, peer, directory, tokenizer, engines, hang_seconds, router)


async def found(
    url: str,
    key: str | None,
    directory: Path,
    tokenizer: Tokenizer,
    tell: Callable[[str], None],
    seconds: float,
) -> tuple[Peer, int]:
    """What is at `url` within so many `seconds`, and how many of it; the rest as of `start`."""
    connection = Connection(url, key, ANSWER_SECONDS)
    end, told = time.monotonic() + seconds, ""
    try:
        while True:
            try:
                return await met(connection, directory, tokenizer), await _count(connection)
            except Lost as lost:
                why = f"the engine at {url} cannot be asked: {lost}"
            if time.monotonic() >= end:
                raise EngineUnreachable(f"{why}; start it, or give another --engine-url")
            if why != told:
                tell(f"{why}; waiting for it")
            told = why
            await asyncio.sleep(_LOOK_SECONDS)
    finally:
        await connection.close()


async def _count(connection: Connection) -> int:
    """How many engines there are behind a router, which has a list of them; else one."""
    try:
        listed = await connection.ask("/workers")
    except (Lost, EngineError, RequestError):
        return 1
    workers = (listed or {}).get("workers")
    return max(1, len(workers)) if isinstance(workers, list) else 1

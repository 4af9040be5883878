"""An engine on another machine, or several behind a router."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Sequence
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from prometheus_client import Metric

from functionary_sgl.engines.base import Chunk, Constraint, Request, Scores, TurnContext
from functionary_sgl.engines.generate.requests import Requests
from functionary_sgl.engines.grammar import check
from functionary_sgl.engines.images import BLIND, objection
from functionary_sgl.engines.remote.connection import Connection, Lost
from functionary_sgl.engines.remote.peer import Peer, met
from functionary_sgl.engines.remote.router import Router
from functionary_sgl.engines.remote.stream import RemoteStream
from functionary_sgl.errors import (
    EngineDied,
    EngineError,
    EngineUnreachable,
    RequestError,
    UsageError,
)
from functionary_sgl.sandbox import Sandboxes
from functionary_sgl.tokenizer import Tokenizer

P = ParamSpec("P")
T = TypeVar("T")

LOOK_SECONDS = 2.0
"""How often it is asked whether it is there."""


class RemoteEngine:
    """At `url`, where `peer` was met; `directory` has the files of its model. `key` is sent along.
    `engines`: how many are there. `hang_seconds`: how long one may be silent; None: as it says
    itself. `router` is what is at `url`, where this server has started it.
    """

    def __init__(
        self,
        url: str,
        key: str | None,
        peer: Peer,
        directory: Path,
        tokenizer: Tokenizer,
        engines: int = 1,
        hang_seconds: float | None = None,
        router: Router | None = None,
    ) -> None:
        self.url = url
        self.peer = peer
        about = peer.about
        self.adapters = about.adapters
        self.context_length = about.context_length
        self.most_running: int | None = about.most_running * engines
        self.most_waiting: int | None = None
        self.takes_turns = True
        self._key = key
        self._router = router
        self._hang_seconds = hang_seconds or about.hang_seconds
        self._directory = directory
        self._tokenizer = tokenizer
        definition = tokenizer.definition
        self._sandboxes = Sandboxes(definition, about.vocabulary_size, about.end_ids or None)
        self.image_hosts: Collection[str] = frozenset(about.image_domains)
        self._requests = Requests(self._send, self.context_length, guided=True, read=_read)
        self._trouble: EngineError | None = None
        self._dead = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    async def ready(self, stop: Callable[[], None]) -> None:
        self._connection = Connection(self.url, self._key, self._hang_seconds)
        await asyncio.to_thread(self._sandboxes.start)
        self._watching = asyncio.create_task(self._watch(await self._place_of_health()))

    def check(self, constraints: Sequence[Constraint], patient: bool) -> list[str | None]:
        return check(constraints, self._sandboxes, patient)

    def blind_to(self, images: Sequence[str]) -> list[str | None]:
        if not self.peer.about.sees_images:
            return [BLIND] * len(images)
        return [objection(url, self.image_hosts) for url in images]

    def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        return self._requests.generate(request)

    async def score(
        self, token_ids: Sequence[int], candidates: Sequence[int], turn: TurnContext
    ) -> Scores:
        return await self._requests.score(token_ids, candidates, turn)

    async def load_adapter(self, key: str, name: str, directory: Path) -> None:
        raise RequestError(
            "This server's engine is on another machine, where adapters are loaded when it starts: "
            "have it started with --lora-modules NAME=PATH."
        )

    async def unload_adapter(self, key: str, name: str) -> None:
        """It goes on being there, and nobody asks for it."""

    def trouble(self) -> EngineError | None:
        return self._trouble

    def metrics(self) -> Iterable[Metric]:
        """None: engines elsewhere tell theirs themselves."""
        return ()

    def give_up(self, error: EngineError) -> None:
        self._requests.give_up(error)

    async def died(self) -> EngineDied:
        await self._dead.wait()  # an engine that is lost may come back
        return EngineDied("The router before the engines has ended; its output above says why.")

    async def close(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            with suppress(asyncio.CancelledError):
                await self._watching
            await self._connection.close()
        self._sandboxes.close()
        if self._router is not None:
            await asyncio.to_thread(self._router.end)

    def _send(self, token_ids: Sequence[int], asked: dict[str, Any]) -> RemoteStream:
        patient = self._trouble is None
        return RemoteStream(self._connection, self.peer, token_ids, asked, patient)

    async def _place_of_health(self) -> str:
        """Where it is asked whether requests would be answered: of a router, whose own health says
        nothing of the engines behind it, or of SGLang, whose does."""
        with suppress(Lost):
            if await self._connection.status("/readiness") != HTTPStatus.NOT_FOUND:
                return "/readiness"
        return "/health"

    async def _watch(self, place: str) -> None:
        """Know whether it is there, and the same."""
        while self._router is None or self._router.lives():
            self._trouble = await self._looked_after(place)
            await asyncio.sleep(LOOK_SECONDS)
        self._dead.set()

    async def _looked_after(self, place: str) -> EngineError | None:
        try:
            status = await self._connection.status(place)
            if status == HTTPStatus.OK and self._trouble is not None:
                peer = await met(self._connection, self._directory, self._tokenizer)
                if peer.about.stamp != self.peer.about.stamp or peer.plain != self.peer.plain:
                    return self._lost("it has come back as another one: start this server anew")
        except (Lost, UsageError, EngineError, RequestError) as error:
            return self._lost(str(error))
        if status == HTTPStatus.OK:
            return None
        return self._lost(f"its health has the status {status}")

    def _lost(self, why: str) -> EngineUnreachable:
        return EngineUnreachable(f"The engine cannot be asked now: {why}.")


def _read(reader: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `reader` makes of an output, which may have any shape inside."""
    try:
        return reader(*args, **kwargs)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise EngineUnreachable("The engine sent what is no answer; send this again.") from error

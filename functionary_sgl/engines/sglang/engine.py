"""SGLang in this process, asked by token ids.

What SGLang calls an engine is its scheduler and detokenizer processes and, here, a
TokenizerManager that talks to them; requests go to that, without HTTP in between.
"""

import asyncio
from collections.abc import (
    AsyncGenerator,
    Callable,
    Collection,
    Coroutine,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import suppress
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from prometheus_client import Metric

from functionary_sgl.engines.base import (
    Chunk,
    Constraint,
    Request,
    Scores,
    TurnContext,
)
from functionary_sgl.engines.generate.capacity import most_running
from functionary_sgl.engines.generate.meta_info import NotFinite
from functionary_sgl.engines.generate.requests import Requests
from functionary_sgl.engines.grammar import check
from functionary_sgl.engines.images import BLIND, objection
from functionary_sgl.engines.sglang import load, metrics, nodes
from functionary_sgl.engines.sglang.constraints import objection_of_xgrammar
from functionary_sgl.engines.sglang.grammars import Grammars
from functionary_sgl.engines.sglang.leftovers import Leftovers, sockets
from functionary_sgl.engines.sglang.lora_updates import LoRAUpdates
from functionary_sgl.engines.sglang.progress import LOOK_SECONDS, Progress
from functionary_sgl.engines.sglang.signals import SignalHandlers, who_died
from functionary_sgl.engines.sglang.stream import Stream
from functionary_sgl.errors import (
    EngineDied,
    EngineError,
    FunctionaryError,
    RequestError,
    UsageError,
)
from functionary_sgl.sandbox import Sandboxes


class SGLangEngine:
    """Wraps a started `sglang.Engine`; made by `launch.start`.

    `progress`: whether its scheduler goes on. `grammars`: what that keeps of them.
    `adapters`: the LoRA adapters that were loaded with it, each with its place.
    An id of `vocabulary_size` or more in a request would take the engine down.
    """

    def __init__(
        self,
        engine: Any,
        grammar_backend: str,
        progress: Progress,
        grammars: Grammars,
        adapters: Mapping[str, str] | None = None,
    ) -> None:
        self.adapters = adapters or {}
        self._engine = engine
        self._guided = self.takes_turns = grammar_backend == "llguidance"
        self._manager = engine.tokenizer_manager
        self._lora_updates = LoRAUpdates(self._manager, engine.server_args)
        # SGLang refuses requests from here on, and a turn's later requests grow as long as it may.
        scheduler = engine._scheduler_init_result.scheduler_infos[0]
        self.context_length = int(scheduler["max_req_input_len"])
        flags = engine.server_args
        self.most_running: int | None = most_running(
            flags.max_running_requests, int(scheduler["max_total_num_tokens"]), flags.dp_size
        )
        self.most_waiting: int | None = None
        self.vocabulary_size = int(self._manager.model_config.vocab_size)
        self._sandboxes = _sandboxes(self._manager, self.vocabulary_size)
        self._progress = progress
        self._grammars = grammars
        self._leftovers = Leftovers(sockets(engine.port_args))
        self._watching: asyncio.Task[None] | None = None
        self._stop: Callable[[], None] = lambda: None
        domains = engine.server_args.allowed_media_domains or ()
        self.image_hosts: Collection[str] = frozenset(domain.lower() for domain in domains)
        send = partial(Stream, self._manager)
        self._requests = Requests(send, self.context_length, self._guided)
        self._death: EngineDied | None = None
        self._dead = asyncio.Event()
        self._manager.signal_handler_class = self._signal_handlers

    async def ready(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        if self._guided:
            await asyncio.to_thread(self._sandboxes.start)
        # The first request makes SGLang's manager listen, and install the signal handlers. One for
        # each adapter: SGLang finds out with its first request whether it fits the model.
        for adapter in (None, *self.adapters):
            await self._answer_with(adapter)
        # What is there now stays: to look through all of it for garbage stops a process for long.
        await self._manager.freeze_gc()
        await self._begin_watching()

    def check(self, constraints: Sequence[Constraint], patient: bool) -> list[str | None]:
        if self._guided:
            return check(constraints, self._sandboxes, patient)
        return [objection_of_xgrammar(constraint) for constraint in constraints]

    def blind_to(self, images: Sequence[str]) -> list[str | None]:
        if not self._manager.model_config.is_multimodal:
            return [BLIND] * len(images)
        return [objection(url, self.image_hosts) for url in images]

    def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        return self._requests.generate(request)

    async def score(
        self, token_ids: Sequence[int], candidates: Sequence[int], turn: TurnContext
    ) -> Scores:
        return await self._requests.score(token_ids, candidates, turn)

    async def load_adapter(self, key: str, name: str, directory: Path) -> None:
        await self._unless_dead(self._lora_updates.load(key, name, directory))
        try:
            await self._answer_with(key)
        except FunctionaryError as error:
            with suppress(EngineError):  # the first error says more
                await self.unload_adapter(key, name)
            if isinstance(error, EngineError):
                raise
            raise RequestError(f"It cannot be served: {error}.", "lora_path") from error

    async def unload_adapter(self, key: str, name: str) -> None:
        await self._unless_dead(self._lora_updates.unload(key, name))

    def trouble(self) -> EngineError | None:
        return self._death

    def metrics(self) -> Iterable[Metric]:
        more = metrics.collected() if self._manager.enable_metrics else ()
        return chain(load.gauges(self._manager), self._grammars.metrics(), more)

    def give_up(self, error: EngineError) -> None:
        self._requests.give_up(error)

    async def died(self) -> EngineDied:
        await self._dead.wait()
        return self._death or EngineDied("The engine is closed.")

    async def close(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
        self._sandboxes.close()
        await asyncio.to_thread(self._leftovers.note)
        if self._engine.server_args.nnodes > 1 and self._death is None:
            await nodes.end(self._manager)
        await asyncio.to_thread(self._engine.shutdown)
        self._leftovers.remove()

    async def _answer_with(self, adapter: str | None) -> None:
        """UsageError where what the model computes with it are no numbers."""
        try:
            await self.score([0], [0], TurnContext("ready", 1, adapter=adapter))
        except NotFinite as error:
            raise UsageError(_numberless(adapter)) from error

    async def _unless_dead(self, work: Coroutine[Any, Any, None]) -> None:
        """Wait for `work`, to which an engine that dies would never answer."""
        working = asyncio.ensure_future(work)
        dying = asyncio.ensure_future(self.died())
        await asyncio.wait({working, dying}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            dying.cancel()
            return working.result()
        working.cancel()
        raise dying.result()

    def _signal_handlers(self, manager: Any) -> Any:
        """SGLang installs them with the first request: SIGTERM is for us, SIGQUIT from a child
        process that died."""
        return SignalHandlers(self._stop, lambda: self._die(who_died(manager)))

    async def _begin_watching(self) -> None:
        await asyncio.to_thread(self._leftovers.note)
        self._watching = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        """Notice that it hangs."""
        hangs = False
        while not hangs:
            await asyncio.sleep(LOOK_SECONDS)
            hangs = self._progress.hangs(self._requests.busy)
        seconds = self._progress.seconds
        self._die(f"The engine hangs: it has computed nothing for {seconds:g} seconds.")

    def _die(self, reason: str) -> None:
        self._death = EngineDied(reason)
        self.give_up(self._death)
        self._dead.set()


def _numberless(adapter: str | None) -> str:
    who = "the model's weights give" if adapter is None else f"the adapter {adapter} gives"
    return (
        f"{who} no numbers (NaN): fetch the weights anew, or choose another --dtype if this one is "
        "too small for them"
    )


def _sandboxes(manager: Any, vocabulary_size: int) -> Sandboxes:
    """With the tokenizer as SGLang's scheduler has it for its grammars."""
    from transformers import PreTrainedTokenizerFast

    if not isinstance(manager.tokenizer, PreTrainedTokenizerFast):
        return Sandboxes()
    ends = manager.model_config.hf_eos_token_id
    definition = manager.tokenizer.backend_tokenizer.to_str()
    return Sandboxes(definition, vocabulary_size, sorted(ends) if ends else None)

"""An HTTP server that answers by a script, in the form of `functionary-sgl engine`, with no model.

It is told by tests how to misbehave.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from aiohttp import web

from functionary_sgl.engines.base import Chunk, Constraint, Request, TurnContext
from functionary_sgl.engines.generate import envelope
from functionary_sgl.engines.generate.about import About, fingerprint
from functionary_sgl.engines.generate.sampling import ASKED_IDS
from functionary_sgl.engines.scripted import Script, ScriptedEngine
from functionary_sgl.tokenizer import Tokenizer

Fault = Callable[[web.Request], Awaitable[web.StreamResponse | None]]
"""An answer of its own; None where there is nothing wrong this time."""

HEADER_END = "<|end_header_id|>"


class EngineServer:
    """At `url`, for as long as it is `start`ed. `bodies` are those of requests for answers, in
    their order; `faults` answer the next of them instead; `left` counts clients that did not wait
    for the end. `healthy` is what it says of its health; `welcome` answers whoever asks what it is,
    `pages` are what else can be asked for, and `aborted` requests that it was told to stop.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        *replies: dict[str, Any],
        loop: asyncio.AbstractEventLoop | None = None,
        **about: Any,
    ) -> None:
        """It runs in `loop`, which somebody else runs and ends, or in one of its own."""
        script = Script.model_validate({"replies": [{"match": "", **reply} for reply in replies]})
        self.about = _about(tokenizer, about)
        self.bodies: list[dict[str, Any]] = []
        self.faults: deque[Fault] = deque()
        self.left = 0
        self.healthy = True
        self.key: str | None = None
        self.welcome: Fault | None = None
        self.pages: dict[str, dict[str, Any]] = {}
        self.aborted: list[str] = []
        self.url = ""
        self._tokenizer = tokenizer
        self._script = script
        self._port = 0
        self._thread: threading.Thread | None = None
        self._loop = loop or asyncio.new_event_loop()
        if loop is None:
            self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
            self._thread.start()
        self.start()

    def start(self) -> None:
        """Be there, at the same address as before."""
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()

    def stop(self) -> None:
        """Be gone, as a process that was killed: connections break off."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()

    def close(self) -> None:
        """Be gone for good."""
        self.stop()
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    async def _start(self) -> None:
        self._engine = ScriptedEngine(self._script, self._tokenizer)
        app = web.Application(client_max_size=2**30)
        app.router.add_post("/generate", self._generate)
        app.router.add_get("/health", self._health)
        app.router.add_post("/abort_request", self._abort)
        app.router.add_get("/{page}", self._page)
        # A client that is gone cancels what answers it, as with SGLang.
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}"

    async def _stop(self) -> None:
        server = self._runner.server
        for connection in list(server.connections) if server else ():
            if connection.transport is not None:
                connection.transport.abort()
        await self._runner.cleanup()

    def cached(self, body: dict[str, Any]) -> int:
        """How many of a request's ids it has in its cache."""
        return 0

    async def _health(self, request: web.Request) -> web.Response:
        return web.Response(status=200 if self.healthy else 503)

    async def _page(self, request: web.Request) -> web.Response:
        page = self.pages.get(request.match_info["page"])
        return web.Response(status=404) if page is None else web.json_response(page)

    async def _abort(self, request: web.Request) -> web.Response:
        self.aborted.append((await request.json())["rid"])
        return web.Response()

    async def _generate(self, request: web.Request) -> web.StreamResponse:
        if self.key is not None and request.headers.get("authorization") != f"Bearer {self.key}":
            return web.json_response({"error": "Unauthorized"}, status=401)
        body = orjson.loads(await request.read())
        content = envelope.unwrapped(body.get("session_params")) or body
        if content.get(envelope.ABOUT):
            if self.welcome is not None and (other := await self.welcome(request)) is not None:
                return other
            meta = {envelope.STAMP: self.about.model_dump()}
            return web.json_response({"text": "", "output_ids": [], "meta_info": meta})
        self.bodies.append(body)
        if self.faults and (wrong := await self.faults.popleft()(request)) is not None:
            return wrong
        response = await begun(request)
        try:
            known = {envelope.STAMP: self.about.stamp, "cached_tokens": self.cached(body)}
            async for ids, meta in self._outputs(body["input_ids"], content):
                await send(response, ids, meta | known)
            await response.write(b"data: [DONE]\n\n")
        except asyncio.CancelledError:
            self.left += 1
            raise
        return response

    async def _outputs(self, ids: list[int], content: dict[str, Any]) -> Any:
        """Ids and SGLang's `meta_info`, of the turn that `ids` are in."""
        turn = self._turn(ids)
        if (candidates := content.get("token_ids_logprob")) is not None:
            scores = await self._engine.score(ids, candidates, turn)
            pairs = zip(scores.logprobs, candidates, strict=True)
            told = [[logprob, token_id, None] for logprob, token_id in pairs]
            last = {"finish_reason": {"type": "length"}, "output_token_ids_logprobs": [told]}
            yield [candidates[0]], meta_info(len(ids), **last)
            return
        request = _request(ids, content, turn)
        async for chunk in self._engine.generate(request):
            yield list(chunk.token_ids), meta_info(len(ids), **_told(chunk))

    def _turn(self, ids: list[int]) -> TurnContext:
        """That which begins behind the last header; one conversation's turns have other prompts."""
        header = self._tokenizer.control_ids[HEADER_END]
        length = len(ids) - ids[::-1].index(header) if header in ids else len(ids)
        return TurnContext(str(hash(tuple(ids[:length]))), length)


def meta_info(prompt_tokens: int, **meta: Any) -> dict[str, Any]:
    """SGLang's, of an answer to a prompt of so many ids."""
    return {"finish_reason": None, "prompt_tokens": prompt_tokens, "cached_tokens": 0, **meta}


async def begun(request: web.Request) -> web.StreamResponse:
    """An answer of events, whose head is sent."""
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    return response


async def send(response: web.StreamResponse, ids: list[int], meta: dict[str, Any]) -> None:
    """Send one event, in SGLang's form."""
    event = {"text": "", "output_ids": ids, "meta_info": meta}
    await response.write(b"data: " + orjson.dumps(event) + b"\n\n")


@contextmanager
def engine_server(
    tokenizer: Tokenizer, *replies: dict[str, Any], **about: Any
) -> Iterator[EngineServer]:
    """One that is there, with what it tells of itself as in `about`."""
    server = EngineServer(tokenizer, *replies, **about)
    try:
        yield server
    finally:
        server.close()


def _about(tokenizer: Tokenizer, about: dict[str, Any]) -> About:
    known = {
        "version": envelope.VERSION,
        "model": "scripted",
        "tokens": fingerprint(tokenizer),
        "context_length": 8192,
        "most_running": 64,
        "vocabulary_size": tokenizer.most_id + 1,
        "end_ids": [],
        "sees_images": False,
        "image_domains": [],
        "adapters": {},
        "hang_seconds": 60,
    }
    return About.model_validate(known | about)


def _request(ids: list[int], content: dict[str, Any], turn: TurnContext) -> Request:
    params = content["sampling_params"]
    constraint = None
    if "ebnf" in params:
        constraint = Constraint("lark", params["ebnf"])
    elif "regex" in params:
        constraint = Constraint("regex", params["regex"])
    return Request(
        ids,
        params["max_new_tokens"],
        turn,
        constraint=constraint,
        stop=tuple(params.get("stop", ())),
        stop_token_ids=tuple(params["stop_token_ids"]),
        control_ids=tuple(params["custom_params"][ASKED_IDS]),
        top_logprobs=content.get("top_logprobs_num"),
    )


def _told(chunk: Chunk) -> dict[str, Any]:
    reason = None if chunk.finish_reason is None else {"type": chunk.finish_reason}
    if not chunk.logprobs:
        return {"finish_reason": reason}
    pairs = list(zip(chunk.logprobs, chunk.token_ids, strict=True))
    return {
        "finish_reason": reason,
        "output_token_logprobs": [[one.logprob, token_id, None] for one, token_id in pairs],
        "output_top_logprobs": [[[lp, i, None] for i, lp in one.top] for one, _ in pairs],
    }

"""Servers that replay scripts, on one real socket."""

import asyncio
import contextlib
import itertools
import re
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from functools import cache, cached_property
from typing import Any

import anthropic
import httpx
import openai
import uvicorn
from fastapi import APIRouter
from starlette.types import Receive, Scope, Send

from functionary_sgl.api.app import create_app
from functionary_sgl.api.keys import Key, Keyring
from functionary_sgl.api.responses.store import ResponseStore
from functionary_sgl.cli.connection import Connection
from functionary_sgl.engines.scripted import Script, ScriptedEngine
from functionary_sgl.gate import Constraints, Gate
from functionary_sgl.grammars.marks import Marks
from functionary_sgl.model import Model
from functionary_sgl.prompt.prompter import Prompter
from tests.contract import Contract

MOST_SECONDS = 10
"""How long requests may take to end after the client of a test is gone."""


def scripted_model(
    prompter: Prompter, *replies: dict[str, Any], context: int = 8192, **options: Any
) -> Model:
    """A model that replays `replies`; those without `match` answer anything.

    Its gate knows the schemas that others like it have tried, as that of a server that goes on
    does: to try one takes longer than to replay a turn.
    """
    script = Script.model_validate({"replies": [{"match": "", **reply} for reply in replies]})
    engine = ScriptedEngine(script, prompter.tokenizer, context)
    model = Model(("m",), prompter, engine, "for tests", **options)
    kind = model.constraints, prompter.format.parameters
    model.__dict__["gate"] = _GATES.setdefault(kind, model.gate)
    return model


_GATES: dict[tuple[Constraints, Marks | None], Gate] = {}


class Listener:
    """One server for all tests of the process, since one takes a while to end. An application is
    mounted under a path of its own, and sees none of that."""

    def __init__(self) -> None:
        self._apps: dict[str, Contract] = {}
        self._running: Counter[str] = Counter()
        self._numbers = itertools.count()
        # Nothing of it may keep Python from ending.
        config = uvicorn.Config(
            self, port=0, log_level="error", lifespan="off", http=Connection, ws="none"
        )
        server = uvicorn.Server(config)
        threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True).start()
        while not server.started:
            time.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        self._url = f"http://127.0.0.1:{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        _, name, path = scope["path"].split("/", 2)
        raw_path = b"/" + scope["raw_path"].split(b"/", 2)[2]
        self._running[name] += 1
        try:
            await self._apps[name](
                {**scope, "path": f"/{path}", "raw_path": raw_path}, receive, send
            )
        finally:
            self._running[name] -= 1

    @contextlib.contextmanager
    def mounted(self, app: Contract) -> Iterator[str]:
        """The URL under which `app` is served, until all that it was asked has ended."""
        name = str(next(self._numbers))
        self._apps[name] = app
        try:
            yield f"{self._url}/{name}"
            end = time.monotonic() + MOST_SECONDS
            while self._running[name]:
                assert time.monotonic() < end, "a request goes on though its client is gone"
                time.sleep(0.001)
        finally:
            del self._apps[name]


@cache
def listener() -> Listener:
    return Listener()


def connect(url: str) -> tuple[httpx.Client, openai.OpenAI]:
    """A plain client of the server at `url`, and OpenAI's."""
    # To load certificates, which nobody needs here, takes longer than most tests.
    bare = openai.DefaultHttpxClient(verify=False)
    client = openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, http_client=bare)
    headers = {"content-type": "application/json"}
    return httpx.Client(base_url=url, headers=headers, verify=False, timeout=60), client


def connect_anthropic(url: str) -> anthropic.Anthropic:
    """Anthropic's client of the server at `url`."""
    bare = anthropic.DefaultHttpxClient(verify=False)
    return anthropic.Anthropic(base_url=url, api_key="none", max_retries=0, http_client=bare)


class Served:
    """A server on a real socket, with OpenAI's client, Anthropic's and a plain one. `contract` is
    what stands around its application."""

    def __init__(self, model: Model, contract: Contract, url: str) -> None:
        self.model = model
        self.contract = contract
        self.url = url
        self.http, self.client = connect(url)

    @cached_property
    def anthropic(self) -> anthropic.Anthropic:
        return connect_anthropic(self.url)

    def close(self) -> None:
        self.http.close()
        self.client.close()
        if "anthropic" in self.__dict__:
            self.anthropic.close()


@contextlib.contextmanager
def serving(
    model: Model,
    api_keys: Iterable[str | Key] = (),
    origins: Collection[str] = (),
    routes: Iterable[APIRouter] = (),
    request_seconds: float | None = None,
    store: ResponseStore | None = None,
) -> Iterator[Served]:
    """A server of `model`, and of other `routes`; whatever it sends against OpenAI's contract fails
    the test."""
    keys = [key if isinstance(key, Key) else Key.of(key) for key in api_keys]
    served_app = create_app(
        model, Keyring(keys), origins=origins, request_seconds=request_seconds, store=store
    )
    for router in routes:
        served_app.include_router(router)
    app = Contract(served_app)
    with (
        listener().mounted(app) as url,
        contextlib.closing(Served(model, app, url)) as served,
    ):
        yield served
    assert app.violations == [], app.violations


def counted(http: httpx.Client, name: str) -> float:
    """What a server has counted so far by this name."""
    text = http.get("/metrics").text
    return sum(float(value) for value in re.findall(rf"^{re.escape(name)} (\S+)$", text, re.M))

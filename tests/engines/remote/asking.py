"""Asking an engine elsewhere."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any, TypeVar

from functionary_sgl.engines.base import Chunk, Request, TurnContext
from functionary_sgl.engines.remote.engine import RemoteEngine
from functionary_sgl.engines.remote.start import start
from functionary_sgl.tokenizer import Tokenizer
from tests.conftest import TINY
from tests.engines.remote.engine_server import EngineServer

T = TypeVar("T")


def connected(server: EngineServer, tokenizer: Tokenizer, **options: Any) -> RemoteEngine:
    """The engine of `server`, to be made ready."""
    key, told = options.pop("key", None), options.pop("tell", print)
    defaults = {"start_seconds": 1.0}
    urls = options.pop("urls", [server.url])
    return start(urls, key, Path(TINY), tokenizer, told, **{**defaults, **options})


def asked(
    server: EngineServer,
    tokenizer: Tokenizer,
    question: Callable[[RemoteEngine], Awaitable[T]],
    **options: Any,
) -> T:
    """What comes of the `question`, put to the engine of `server`."""
    engine = connected(server, tokenizer, **options)

    async def ask() -> T:
        await engine.ready(lambda: None)
        try:
            return await question(engine)
        finally:
            await engine.close()

    return asyncio.run(ask())


def request(tokenizer: Tokenizer, **fields: Any) -> Request:
    """For a turn that ends with `<|eot_id|>`."""
    end = (tokenizer.control_ids["<|eot_id|>"],)
    defaults = {"token_ids": [1], "max_tokens": 99, "turn": TurnContext("t", 1)}
    return Request(**{**defaults, "stop_token_ids": end, **fields})


async def answered(engine: RemoteEngine, request: Request) -> list[Chunk]:
    """All of an answer."""
    async with aclosing(engine.generate(request)) as answer:
        return [chunk async for chunk in answer]


def chunks(server: EngineServer, tokenizer: Tokenizer, **fields: Any) -> list[Chunk]:
    """Of one answer."""
    return asked(server, tokenizer, lambda e: answered(e, request(tokenizer, **fields)))


def text(tokenizer: Tokenizer, got: list[Chunk]) -> str:
    return tokenizer.decode([token_id for chunk in got for token_id in chunk.token_ids])

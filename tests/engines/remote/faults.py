"""Ways in which a server misbehaves, each for one request."""

import asyncio
from typing import Any

from aiohttp import web

from functionary_sgl.engines.generate import envelope
from tests.engines.remote.engine_server import EngineServer, Fault, begun, meta_info, send


async def none(request: web.Request) -> None:
    """All is well."""


async def hung_up(request: web.Request) -> web.StreamResponse:
    """The connection breaks off before an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def status(number: int, body: str = "") -> Fault:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=number, text=body, content_type="application/json")

    return answer


def raw(*parts: bytes) -> Fault:
    """An answer of these bytes, which ends in order."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = await begun(request)
        for part in parts:
            await response.write(part)
        return response

    return answer


async def silent(request: web.Request) -> web.StreamResponse:
    """An answer that never begins."""
    response = await begun(request)
    await asyncio.sleep(60)
    return response


def cut(server: EngineServer, ids: list[int]) -> Fault:
    """Some ids, and then the connection breaks off."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = await begun(request)
        await send(response, ids, {**meta_info(1), envelope.STAMP: server.about.stamp})
        await asyncio.sleep(0.05)
        return await hung_up(request)

    return answer


def other(server: EngineServer, **meta: Any) -> Fault:
    """An answer with another `meta_info` than the engine's."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = await begun(request)
        await send(response, [5], {**meta_info(1), envelope.STAMP: server.about.stamp, **meta})
        return response

    return answer

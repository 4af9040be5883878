"""Images by URL: what is fetched, from where, and what is refused."""

import asyncio
import base64
import gzip
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from PIL import Image

from functionary_sgl.chat.conversation import Image as Shown
from functionary_sgl.engines import fetching, images
from functionary_sgl.engines.fetching import fetched
from functionary_sgl.engines.scripted import Script, ScriptedEngine
from functionary_sgl.engines.shown import shown
from functionary_sgl.errors import RequestError
from functionary_sgl.tokenizer import Tokenizer

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]

HOST = "127.0.0.1"
ELSEWHERE = "localhost"
"""The same server, by the name of another host."""


def picture(size: tuple[int, int] = (40, 30), format: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, "red").save(file, format)
    return file.getvalue()


def gives(body: bytes, **more: Any) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, **more)

    return answer


def leads_to(place: str, status: int = 302) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        port = request.url.port
        return web.Response(status=status, headers={"location": place.format(port=port)})

    return answer


async def endless(request: web.Request) -> web.StreamResponse:
    """More and more of a picture, without saying how much there is."""
    response = web.StreamResponse()
    await response.prepare(request)
    try:
        while True:
            await response.write(picture() + bytes(2**16))
    except ConnectionResetError:
        return response


async def slow(request: web.Request) -> web.StreamResponse:
    """A byte now and then: each comes soon, and the last never."""
    response = web.StreamResponse()
    await response.prepare(request)
    try:
        while True:
            await response.write(b"\x89")
            await asyncio.sleep(0.02)
    except ConnectionResetError:
        return response


@asynccontextmanager
async def serving(answer: Answer, asked: list[str]) -> AsyncIterator[str]:
    """A server that gives `answer` at /picture, and one picture anywhere else; the URL of the
    first. It notes which paths it is `asked` for, and by whom the host is called what."""

    async def respond(request: web.Request) -> web.StreamResponse:
        asked.append(f"{request.host.partition(':')[0]}{request.path}")
        return await (answer if request.path == "/picture" else gives(picture()))(request)

    app = web.Application()
    app.router.add_get("/{path:.*}", respond)
    runner = web.AppRunner(app, shutdown_timeout=0, handler_cancellation=True)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://{HOST}:{runner.addresses[0][1]}/picture"
    finally:
        await runner.cleanup()


def fetch(answer: Answer, asked: list[str] | None = None) -> bytes:
    """What is found at the URL of `answer`, where that host alone is allowed."""

    async def run() -> str:
        async with serving(answer, [] if asked is None else asked) as url:
            return await fetched(url, {HOST})

    head, _, content = asyncio.run(run()).partition(",")
    assert head in ("data:image/png;base64", "data:image/jpeg;base64")
    return base64.b64decode(content)


@pytest.mark.parametrize("format", ["PNG", "JPEG"])
def test_a_picture_comes_from_an_allowed_host(format: str) -> None:
    # Whatever its host calls it.
    assert fetch(gives(picture(format=format), content_type="text/plain")) == picture(format=format)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_it_may_be_somewhere_else_there(status: int) -> None:
    asked: list[str] = []
    assert fetch(leads_to("/other", status), asked) == picture()
    assert asked == [f"{HOST}/picture", f"{HOST}/other"]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (leads_to(f"http://{ELSEWHERE}:{{port}}/other"), "does not fetch from"),
        (leads_to(f"//{ELSEWHERE}:{{port}}/other"), "does not fetch from"),
        (leads_to(f"http://{HOST}:{{port}}@{ELSEWHERE}:{{port}}/other"), "does not fetch from"),
        (leads_to("file:///etc/passwd"), "does not fetch from"),
        (leads_to("/picture"), "more than 5 times"),
        (leads_to("http://["), "cannot be asked"),
        (gives(b"", status=404), "status 404"),
        (gives(b"", status=302), "status 302"),
        (gives(b"<html>"), "no image"),
        (gives(b""), "no image"),
        (gives(gzip.compress(picture()), headers={"content-encoding": "gzip"}), "no image"),
        (gives(picture((8000, 8000))), "pixels"),
        (endless, "more than 16777216 bytes"),
    ],
)
def test_what_is_no_picture_from_there_is_refused(answer: Answer, told: str) -> None:
    asked: list[str] = []
    with pytest.raises(RequestError, match=told) as raised:
        fetch(answer, asked)
    assert raised.value.code == "invalid_image_url"
    assert not [path for path in asked if not path.startswith(HOST)]


def test_one_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "SECONDS", 0.3)
    with pytest.raises(RequestError, match=r"not come within 0\.3 seconds"):
        fetch(slow)


def test_a_host_that_is_not_there_is_told() -> None:
    async def run() -> str:
        async with serving(gives(b""), []) as url:
            pass
        return await fetched(url, {HOST})

    with pytest.raises(RequestError, match="cannot be asked"):
        asyncio.run(run())


def test_a_conversations_images_are_shown_as_they_are(tokenizer: Tokenizer) -> None:
    engine = ScriptedEngine(Script.model_validate({"replies": []}), tokenizer)
    engine.image_hosts = {HOST}
    own = "data:image/png;base64," + base64.b64encode(picture()).decode()

    async def run(answer: Answer, *paths: str) -> tuple[str, ...]:
        async with serving(answer, []) as url:
            given = [Shown(own), *(Shown(url, path) for path in paths)]
            return await shown(given, engine)

    assert asyncio.run(run(gives(picture()), "a", "b")) == (own, own, own)
    with pytest.raises(RequestError, match="404") as raised:
        asyncio.run(run(gives(b"", status=404), "a"))
    assert raised.value.param == "a"
    with pytest.raises(RequestError, match="too many"):
        asyncio.run(run(gives(picture()), *["a"] * images.MOST_IMAGES))

"""Images that are elsewhere: fetched from hosts that are allowed, once for a request.

SGLang would fetch them itself, for each of the requests that a turn makes of it, and what goes
wrong would be an error of the engine. What is fetched here is looked at as any that a client sends.
"""

import asyncio
import base64
from collections.abc import Collection

import aiohttp
from yarl import URL

from functionary_sgl.engines.images import MOST_BYTES, content_objection, kind
from functionary_sgl.errors import RequestError

SECONDS = 10.0
"""How long it may take to fetch one, redirects included."""

MOST_REDIRECTS = 5

_PIECE = 64 * 1024

_PLAIN = {"accept": "image/*", "accept-encoding": "identity"}


async def fetched(url: str, hosts: Collection[str]) -> str:
    """The image at `url` as a `data:` URL. Raises RequestError for what is none, or cannot be had;
    so it is where it would be sent to a host that is none of `hosts`."""
    try:
        async with (
            asyncio.timeout(SECONDS),
            # What is packed may be a thousand times as large; pictures are packed in themselves.
            aiohttp.ClientSession(headers=_PLAIN, auto_decompress=False) as session,
        ):
            data = await _content(session, URL(url), hosts)
    except TimeoutError as error:
        raise _refusal(f"it has not come within {SECONDS:g} seconds") from error
    except (aiohttp.ClientError, OSError, ValueError) as error:  # what is no URL, too
        raise _refusal("its host cannot be asked for it") from error
    if objection := content_objection(data, "What is at the image's URL"):
        raise RequestError(objection, code="invalid_image_url")
    return f"data:{kind(data)};base64,{base64.b64encode(data).decode()}"


async def _content(session: aiohttp.ClientSession, url: URL, hosts: Collection[str]) -> bytes:
    for _ in range(1 + MOST_REDIRECTS):
        # The very object that is asked: no two parsers have to agree on where it leads.
        if url.scheme not in ("http", "https") or url.host not in hosts:
            raise _refusal("its URL leads to where this server does not fetch from")
        async with session.get(url, allow_redirects=False) as response:
            location = response.headers.get("location")
            if response.status in (301, 302, 303, 307, 308) and location is not None:
                url = url.join(URL(location))
                continue
            if response.status != 200:
                raise _refusal(f"its host answers with the status {response.status}")
            return await _read(response)
    raise _refusal(f"its URL leads on more than {MOST_REDIRECTS} times")


async def _read(response: aiohttp.ClientResponse) -> bytes:
    data = bytearray()
    async for piece in response.content.iter_chunked(_PIECE):
        data += piece
        if len(data) > MOST_BYTES:
            raise _refusal(f"it has more than {MOST_BYTES} bytes")
    return bytes(data)


def _refusal(why: str) -> RequestError:
    return RequestError(
        f"The image could not be fetched: {why}. Send the image itself, as a data: URL.",
        code="invalid_image_url",
    )

"""What a model is shown of a conversation's images."""

import asyncio
from collections.abc import Sequence

from functionary_sgl.chat.conversation import Image
from functionary_sgl.engines.base import Engine
from functionary_sgl.engines.fetching import fetched
from functionary_sgl.engines.images import MOST_IMAGES
from functionary_sgl.errors import RequestError


async def shown(images: Sequence[Image], engine: Engine) -> tuple[str, ...]:
    """`images` as `data:` URLs. Raises RequestError for one that `engine` cannot be shown, or
    that cannot be fetched, and for too many."""
    if len(images) > MOST_IMAGES:
        raise RequestError(
            f"{len(images)} images are too many; at most {MOST_IMAGES} can be shown.",
            param=images[MOST_IMAGES].path,
        )
    urls = [image.url for image in images]
    objections = await asyncio.to_thread(engine.blind_to, urls) if images else ()
    for image, objection in zip(images, objections, strict=True):
        if objection is not None:
            raise RequestError(objection, param=image.path)
    fetching = [asyncio.ensure_future(_one(image, engine)) for image in images]
    try:
        return tuple(await asyncio.gather(*fetching))
    finally:
        for each in fetching:
            each.cancel()


async def _one(image: Image, engine: Engine) -> str:
    if image.url.startswith("data:"):
        return image.url
    try:
        return await fetched(image.url, engine.image_hosts)
    except RequestError as error:
        error.param = image.path
        raise

"""Requests that come through SGLang's own HTTP server from a server on another machine.

What is in their envelope is put where SGLang looks for it. And a client that is gone is noticed at
once: SGLang would look for that some seconds later, and has its own coroutine cancelled, which has
been seen to take the engine with it (sgl-project/sglang#39216).
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import cache
from typing import Any
from uuid import uuid4

from functionary_sgl.engines.generate import envelope
from functionary_sgl.engines.generate.about import About

_END = object()


def heed(about: Callable[[Any], About]) -> None:
    """Have requests of this process be taken so. `about` tells of the engine, by its
    TokenizerManager. Takes effect when SGLang loads its plugins."""
    from sglang.srt.plugins.hook_registry import HookRegistry, HookType

    about = cache(about)  # it stays the same, and each answer bears its stamp

    async def generate_request(
        original: Callable[..., AsyncGenerator[Any, None]],
        manager: Any,
        asked: Any,
        http_request: Any = None,
    ) -> AsyncGenerator[Any, None]:
        content = envelope.unwrapped(getattr(asked, "session_params", None))
        if content is None:
            async for output in original(manager, asked, http_request):
                yield output
        elif content.pop(envelope.ABOUT, False):
            meta = {envelope.STAMP: about(manager).model_dump()}
            yield {"text": "", "output_ids": [], "meta_info": meta}
        else:
            _fill(asked, content)
            stamp = about(manager).stamp
            guarded = _guarded(original(manager, asked, None), manager, asked.rid)
            async with aclosing(guarded) as outputs:
                async for output in outputs:
                    output["meta_info"][envelope.STAMP] = stamp
                    yield output

    target = "sglang.srt.managers.tokenizer_manager.TokenizerManager.generate_request"
    HookRegistry.register(target, generate_request, HookType.AROUND)


def _fill(asked: Any, content: dict[str, Any]) -> None:
    """Put `content` where it belongs in `asked`."""
    asked.session_params = None
    # Aborts match request ids by prefix, so they have a fixed length and nobody else chooses them.
    asked.rid = uuid4().hex
    for name, value in content.items():
        setattr(asked, name, value)


async def _guarded(
    outputs: AsyncGenerator[Any, None], manager: Any, rid: str
) -> AsyncGenerator[Any, None]:
    """`outputs` of the request `rid`, which is aborted and drained where nobody waits for more."""
    step: asyncio.Future[Any] | None = None
    try:
        while True:
            step = asyncio.ensure_future(anext(outputs, _END))
            output = await asyncio.shield(step)
            step = None
            if output is _END:
                return
            yield output
    except (asyncio.CancelledError, GeneratorExit):
        manager.abort_request(rid=rid)
        draining = asyncio.ensure_future(_drain(outputs, step))
        _draining.add(draining)
        draining.add_done_callback(_draining.discard)
        raise


_draining: set[asyncio.Future[None]] = set()
"""The loop itself holds its tasks by weak references only."""


async def _drain(outputs: AsyncGenerator[Any, None], step: asyncio.Future[Any] | None) -> None:
    try:
        if step is not None:
            await step
        async for _ in outputs:
            pass
    except Exception:  # its client is gone, whatever it was
        return

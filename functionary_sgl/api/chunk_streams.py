"""Chunks of a stream as server-sent events, as Chat Completions and Completions have them."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from typing import Any

from functionary_sgl.api.beginnings import Chunk, Chunks, First
from functionary_sgl.api.bodies import Body
from functionary_sgl.api.deadline import within
from functionary_sgl.api.errors import error_body, note
from functionary_sgl.api.events import LAST_EVENT, event
from functionary_sgl.runtime.events import Usage


class StreamOptions(Body):
    """Options for `stream: true`."""

    include_usage: bool = False


async def told_in_chunks(
    _: Any, first: First, chunks: Chunks, until: float | None, options: StreamOptions | None
) -> AsyncGenerator[bytes, None]:
    """Chunks as events; all have a `usage` if the options say so, else the chunk with it is left
    out."""
    usage = options is not None and options.include_usage
    try:
        chunk: Chunk | None = await first
        while chunk is not None:
            if usage:
                yield event({**chunk, "usage": chunk.get("usage")})
            elif "usage" not in chunk:
                yield event(chunk)
            chunk = await within(until, anext(chunks, None))
        yield LAST_EVENT
    except Exception as error:
        note(error)
        yield event(error_body(error))


def usage_of(answers: Iterable[Sequence[Usage]]) -> dict[str, Any]:
    """As OpenAI has it; `answers` are those of each prompt, which counts once."""
    prompt = completion = cached = reasoned = 0
    for usages in answers:
        prompt += max((usage.prompt_tokens for usage in usages), default=0)
        completion += sum(usage.completion_tokens for usage in usages)
        reasoned += sum(usage.reasoning_tokens for usage in usages)
        cached += min((usage.cached_tokens for usage in usages), default=0)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens_details": {"reasoning_tokens": reasoned},
    }

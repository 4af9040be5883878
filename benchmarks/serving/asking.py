"""A streamed request, timed."""

import time
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson


@dataclass
class Timed:
    """An answer with what it took: seconds to its first token and to its end; ids of the prompt,
    those of them that were cached, and of the answer."""

    message: dict[str, Any] = field(default_factory=dict)
    finish_reason: str | None = None
    first: float = 0.0
    end: float = 0.0
    prompt: int = 0
    cached: int = 0
    tokens: int = 0
    error: str | None = None


async def ask(client: httpx.AsyncClient, request: dict[str, Any]) -> Timed:
    """The answer of the server that `client` is for, with its /v1 as base."""
    body = request | {"stream": True, "stream_options": {"include_usage": True}}
    timed = Timed({"role": "assistant", "content": ""})
    begun = time.perf_counter()
    async with client.stream("POST", "chat/completions", json=body) as response:
        if response.status_code != 200:
            return Timed(error=(await response.aread()).decode(errors="replace")[:300])
        async for line in response.aiter_lines():
            if line.startswith("data: ") and line != "data: [DONE]":
                chunk = orjson.loads(line[6:])
                if "error" in chunk:
                    return Timed(error=str(chunk["error"])[:300])
                if _add(timed, chunk) and not timed.first:
                    timed.first = time.perf_counter() - begun
    timed.end = time.perf_counter() - begun
    return timed


def _add(timed: Timed, chunk: dict[str, Any]) -> bool:
    """Add what `chunk` says; whether it is a part of the message."""
    if usage := chunk.get("usage"):
        timed.prompt, timed.tokens = usage["prompt_tokens"], usage["completion_tokens"]
        timed.cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    said = False
    for choice in chunk.get("choices") or ():
        delta = choice["delta"]
        timed.finish_reason = choice.get("finish_reason") or timed.finish_reason
        timed.message["content"] += delta.get("content") or ""
        for part in delta.get("tool_calls") or ():
            _add_call(timed.message.setdefault("tool_calls", []), part)
        said = said or bool(delta.get("content") or delta.get("tool_calls"))
    return said


def _add_call(calls: list[dict[str, Any]], part: dict[str, Any]) -> None:
    while len(calls) <= part["index"]:
        function = {"name": "", "arguments": ""}
        calls.append({"id": part.get("id"), "type": "function", "function": function})
    function = calls[part["index"]]["function"]
    for key in function:
        function[key] += part["function"].get(key) or ""

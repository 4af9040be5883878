"""Asking a server: a streamed request, put together again."""

import time
from dataclasses import dataclass
from typing import Any

import openai

from functionary_sgl.errors import UsageError


@dataclass(frozen=True)
class GivenCall:
    """A call as it was streamed; `arguments` is text."""

    name: str
    arguments: str


@dataclass(frozen=True)
class Answer:
    """What came back, with the tokens it cost and the seconds it took. `error` is set where the
    server refused or failed."""

    text: str = ""
    calls: tuple[GivenCall, ...] = ()
    tokens: int = 0
    seconds: float = 0.0
    error: str | None = None


class Client:
    """Asks the server at `base_url` (with its /v1). Thread-safe."""

    def __init__(self, base_url: str, api_key: str, model: str | None = None) -> None:
        """Raises UsageError if nothing answers there, or nothing that has a model."""
        self._openai = openai.OpenAI(base_url=base_url, api_key=api_key, max_retries=0, timeout=600)
        try:
            self.model = model or self._openai.models.list().data[0].id
        except (openai.OpenAIError, IndexError) as error:
            raise UsageError(f"no server with a model at {base_url}: {error}") from error

    def ask(self, request: dict[str, Any], **sampling: Any) -> Answer:
        """The answer to a chat request, which is streamed."""
        begun = time.monotonic()
        try:
            chunks = self._openai.chat.completions.create(
                model=self.model,
                stream=True,
                stream_options={"include_usage": True},
                **request,
                **sampling,
            )
            text, calls, tokens = _folded(chunks)
        except openai.OpenAIError as error:
            return Answer(seconds=time.monotonic() - begun, error=str(error))
        return Answer(text, calls, tokens, time.monotonic() - begun)

    def close(self) -> None:
        self._openai.close()


def _folded(chunks: Any) -> tuple[str, tuple[GivenCall, ...], int]:
    text, tokens = "", 0
    names: dict[int, str] = {}
    arguments: dict[int, str] = {}
    for chunk in chunks:
        if chunk.usage is not None:
            tokens = chunk.usage.completion_tokens
        for choice in chunk.choices:
            text += choice.delta.content or ""
            for call in choice.delta.tool_calls or ():
                names[call.index] = names.get(call.index, "") + (call.function.name or "")
                more = call.function.arguments or ""
                arguments[call.index] = arguments.get(call.index, "") + more
    return text, tuple(GivenCall(names[index], arguments[index]) for index in sorted(names)), tokens

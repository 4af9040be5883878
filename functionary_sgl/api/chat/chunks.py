"""The events of a turn as the chunks of a streamed chat completion.

A stream is: a first chunk with the role; chunks with content, or with a call's name, or with a
piece of its arguments; one chunk with the finish reason; at last one with the usage. Whatever
answer is not streamed is folded from these very chunks (`fold.py`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from functionary_sgl.api.chunk_streams import usage_of
from functionary_sgl.api.logprobs import with_top
from functionary_sgl.chat.tools import ToolChoice
from functionary_sgl.runtime.events import (
    Addressed,
    Delta,
    Drawn,
    Ended,
    Event,
    Opened,
    Usage,
)

# DeepSeek's name for it, which SGLang and vLLM use too; OpenAI's chat API has none.
_TEXT_FIELDS = {"content": "content", "reasoning": "reasoning_content"}


@dataclass(frozen=True, slots=True)
class Head:
    """What all chunks of a completion share. `created` is in seconds since 1970."""

    id: str
    created: int
    model: str

    def chunk(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
            "choices": choices,
        }

    def usage_chunk(self, usages: list[Usage]) -> dict[str, Any]:
        """The last chunk. The choices share one prompt, which counts once."""
        return {**self.chunk([]), "usage": usage_of([usages])}


class ChoiceChunks:
    """Turns the events of one choice into the `choices` entries of its chunks."""

    def __init__(self, index: int, choice: ToolChoice, legacy: bool) -> None:
        self._index = index
        self._choice = choice
        self._legacy = legacy
        self._recipient = ""
        self._calls = 0
        self._begun = False
        self._drawn: list[dict[str, Any]] = []
        self.usage: Usage | None = None

    def entries(self, event: Event) -> Iterator[dict[str, Any]]:
        """The entries that `event` gives; often none."""
        match event:
            case Addressed(recipient):
                self._recipient = recipient
            case Opened("arguments" | "code", call_id):
                yield self._opener(call_id)
            case Opened("input", call_id):
                yield self._custom_opener(call_id)
            case Delta("content" | "reasoning" as role, text):
                if not self._begun:
                    yield self._first({"content": ""})
                yield self._entry({_TEXT_FIELDS[role]: text})
            case Delta("arguments" | "code", text):
                yield self._entry(self._more_arguments(text))
            case Delta("input", text):
                yield self._entry(self._more("custom", {"input": text}))
            case Drawn(tokens):
                self._drawn += map(with_top, tokens)
            case Ended(reason, usage):
                self.usage = usage
                if not self._begun:
                    yield self._first({"content": ""})
                yield self._entry({}, self._finish_reason(reason))

    def _opener(self, call_id: str) -> dict[str, Any]:
        function = {"name": self._recipient, "arguments": ""}
        if self._legacy:
            return self._opened({"function_call": function})
        call = {"index": self._calls, "id": call_id, "type": "function", "function": function}
        return self._opened({"tool_calls": [call]})

    def _custom_opener(self, call_id: str) -> dict[str, Any]:
        custom = {"name": self._recipient, "input": ""}
        call = {"index": self._calls, "id": call_id, "type": "custom", "custom": custom}
        return self._opened({"tool_calls": [call]})

    def _opened(self, delta: dict[str, Any]) -> dict[str, Any]:
        self._calls += 1
        return self._entry(delta) if self._begun else self._first({"content": None, **delta})

    def _more_arguments(self, text: str) -> dict[str, Any]:
        if self._legacy:
            return {"function_call": {"arguments": text}}
        return self._more("function", {"arguments": text})

    def _more(self, kind: str, delta: dict[str, str]) -> dict[str, Any]:
        return {"tool_calls": [{"index": self._calls - 1, kind: delta}]}

    def _first(self, delta: dict[str, Any]) -> dict[str, Any]:
        self._begun = True
        return self._entry({"role": "assistant", **delta})

    def _entry(self, delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
        return {
            "index": self._index,
            "delta": delta,
            "logprobs": self._logprobs(),
            "finish_reason": finish_reason,
        }

    def _logprobs(self) -> dict[str, Any] | None:
        """Those of the tokens since the last entry; OpenAI's name for any text is `content`."""
        drawn, self._drawn = self._drawn, []
        return {"content": drawn, "refusal": None} if drawn else None

    def _finish_reason(self, reason: Literal["stop", "length"]) -> str:
        """OpenAI's rule: a call that the client forced by name ends with `stop`."""
        if reason == "length" or not self._calls or self._choice.mode == "named":
            return reason
        return "function_call" if self._legacy else "tool_calls"

"""The events of a turn as those of a streamed message.

A stream is: `message_start` with the message before there is anything in it, and `ping`; for each
block `content_block_start`, `content_block_delta`s and `content_block_stop`; `message_delta` with
why it ended and the usage; `message_stop`. Whatever answer is not streamed is folded from these
very events (`fold.py`).
"""

from collections.abc import Iterator
from typing import Any

from functionary_sgl.api.messages.output import (
    OmittedThinkingOutput,
    Output,
    TextOutput,
    ThinkingOutput,
    Told,
    UseOutput,
)
from functionary_sgl.runtime.events import Addressed, Delta, Ended, Event, Opened, Usage


class MessageEvents:
    """Takes what happens in a turn. `head` is the message before there is anything in it; `full`:
    where the budget ends it, that is the context's, and not what the request or the server
    allows. `omits`: the client does not want to see reasoning."""

    def __init__(self, head: Told, *, full: bool, omits: bool) -> None:
        self._head = head
        self._length = "model_context_window_exceeded" if full else "max_tokens"
        self._thinking = OmittedThinkingOutput if omits else ThinkingOutput
        self._begun = False
        self._recipient = ""
        self._index = -1
        self._calls = 0
        self._open: Output | None = None

    def of(self, event: Event) -> Iterator[Told]:
        """The events that `event` gives; often none."""
        if not self._begun:
            self._begun = True
            yield {"type": "message_start", "message": self._head}
            yield {"type": "ping"}
        match event:
            case Addressed(recipient):
                self._recipient = recipient
            case Opened("arguments" | "code" as role, call_id):
                self._calls += 1
                yield from self._begin(UseOutput(self._recipient, call_id, code=role == "code"))
            case Delta("content", text):
                yield from self._more(TextOutput, text)
            case Delta("reasoning", text):
                yield from self._more(self._thinking, text)
            case Delta("arguments" | "code", text):
                yield from self._deltas(text)
            case Ended():
                yield from self._close()
                yield from self._end(event)

    def _begin(self, output: Output) -> Iterator[Told]:
        yield from self._close()
        self._index += 1
        self._open = output
        yield self._of_block("start", content_block=output.head())

    def _more(self, kind: type[Output], text: str) -> Iterator[Told]:
        """More text of a block of the `kind`; a text begins when there is something in it."""
        if not isinstance(self._open, kind):
            yield from self._begin(kind())
        yield from self._deltas(text)

    def _deltas(self, text: str) -> Iterator[Told]:
        if self._open is not None:
            for delta in self._open.more(text):
                yield self._of_block("delta", delta=delta)

    def _close(self) -> Iterator[Told]:
        if self._open is not None:
            for delta in self._open.end():
                yield self._of_block("delta", delta=delta)
            yield self._of_block("stop")
        self._open = None

    def _end(self, ended: Ended) -> Iterator[Told]:
        delta = {"stop_reason": self._reason(ended), "stop_sequence": ended.stop}
        yield {"type": "message_delta", "delta": delta, "usage": usage(ended.usage)}
        yield {"type": "message_stop"}

    def _reason(self, ended: Ended) -> str:
        """Calls come first: they wait for their results, whatever ended the turn behind them."""
        if ended.reason == "length":
            return self._length
        if self._calls:
            return "tool_use"
        return "end_turn" if ended.stop is None else "stop_sequence"

    def _of_block(self, kind: str, **fields: Any) -> Told:
        return {"type": f"content_block_{kind}", "index": self._index, **fields}


def usage(usage: Usage) -> Told:
    """As Anthropic has it: what was found in the cache does not count as input, and is told
    beside it."""
    return {
        "input_tokens": usage.prompt_tokens - usage.cached_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached_tokens,
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"thinking_tokens": usage.reasoning_tokens},
    }

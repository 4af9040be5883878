"""The events of a turn as those of a streamed response.

A stream is: `response.created` and `response.in_progress`; for each item of the output its events,
one item after the other; at last `response.completed`, `response.incomplete` or `response.failed`
with the whole response. All are numbered. Whatever answer is not streamed is folded from these very
events (`fold.py`).
"""

from collections.abc import Iterator, Sequence
from typing import Any

from functionary_sgl.api.responses.fold import Fold
from functionary_sgl.api.responses.output import (
    CallOutput,
    CustomOutput,
    MessageOutput,
    Output,
    ReasoningOutput,
    Status,
    Told,
)
from functionary_sgl.runtime.events import (
    Addressed,
    Delta,
    Drawn,
    Ended,
    Event,
    Opened,
    Token,
    Usage,
)


class ResponseEvents:
    """Takes what happens in a turn; `head` is the response before there is anything in it."""

    def __init__(self, head: dict[str, Any]) -> None:
        self._fold = Fold(head)
        self._numbers = 0
        self._output = _OutputEvents()

    def of(self, event: Event) -> Iterator[Told]:
        """The events that `event` gives; often none."""
        if not self._numbers:
            yield from self._begin()
        for told in self._output.of(event):
            yield self._numbered(told)
        if isinstance(event, Ended):
            status: Status = "incomplete" if event.reason == "length" else "completed"
            yield self._end(status, usage=usage(event.usage))

    def failed(self, code: str, message: str) -> Iterator[Told]:
        """The events of an answer that cannot go on."""
        if not self._numbers:
            yield from self._begin()
        yield self._end("failed", error={"code": code, "message": message})

    def cancel(self) -> None:
        """Nobody waits for it any more: the response is cancelled, with what it has."""
        self._end("cancelled")

    @property
    def response(self) -> dict[str, Any]:
        """The response as it is now."""
        return self._fold.response()

    def _begin(self) -> Iterator[Told]:
        for name in ("created", "in_progress"):
            yield self._numbered({"type": f"response.{name}", "response": self._fold.response()})

    def _end(self, status: str, **fields: Any) -> Told:
        if status == "incomplete":
            fields["incomplete_details"] = {"reason": "max_output_tokens"}
        response = self._fold.response(status=status, **fields)
        return self._numbered({"type": f"response.{status}", "response": response})

    def _numbered(self, told: Told) -> Told:
        told = {**told, "sequence_number": self._numbers}
        self._numbers += 1
        self._fold.add(told)
        return told


class _OutputEvents:
    """The events of the items, without numbers."""

    def __init__(self) -> None:
        self._recipient = ""
        self._role = ""
        self._opened = 0
        self._open: Output | None = None
        self._drawn: list[Token] = []

    def of(self, event: Event) -> Iterator[Told]:
        match event:
            case Addressed(recipient):
                self._recipient = recipient
            case Opened(role, call_id):
                self._role = role
                if role in ("arguments", "code"):
                    yield from self._begin(CallOutput(self._opened, self._recipient, call_id))
                elif role == "input":
                    yield from self._begin(CustomOutput(self._opened, self._recipient, call_id))
            case Delta("content", text):
                yield from self._more(MessageOutput, text)
            case Delta("reasoning", text):
                yield from self._more(ReasoningOutput, text)
            case Delta("arguments" | "code" | "input", text) if self._open is not None:
                yield self._open.more(text, ())
            case Drawn(tokens) if self._role == "content":
                self._drawn += tokens
            case Ended(reason):
                yield from self._end(reason == "length")

    def _begin(self, output: Output) -> Iterator[Told]:
        yield from self._close("completed")
        self._opened += 1
        self._open = output
        yield from output.begin()

    def _more(self, kind: type[Output], text: str) -> Iterator[Told]:
        """More text of an item of the `kind`; a text begins when there is something in it."""
        if not isinstance(self._open, kind):
            yield from self._begin(kind(self._opened))
        if self._open is not None:
            yield self._open.more(text, self._taken())

    def _end(self, cut: bool) -> Iterator[Told]:
        """`cut`: by the budget, and not by the model, which may have said nothing at all."""
        if not self._opened and not cut:
            yield from self._begin(MessageOutput(0))
        yield from self._close("incomplete" if cut else "completed")

    def _close(self, status: Status) -> Iterator[Told]:
        if self._open is not None:
            drawn = self._taken() if isinstance(self._open, MessageOutput) else ()
            yield from self._open.end(status, drawn)
        self._open = None

    def _taken(self) -> Sequence[Token]:
        drawn, self._drawn = self._drawn, []
        return drawn


def usage(usage: Usage) -> dict[str, Any]:
    """As OpenAI has it."""
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }

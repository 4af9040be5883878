"""Items of a response's output while they come into being, and the events that tell of it."""

import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Literal

from functionary_sgl.api.logprobs import with_top
from functionary_sgl.runtime.events import Token
from functionary_sgl.runtime.text import TextBuffer

Told = dict[str, Any]
Status = Literal["in_progress", "completed", "incomplete"]


def new_id(kind: str) -> str:
    """A new id in OpenAI's form: `resp` gives `resp_...`."""
    return f"{kind}_{uuid.uuid4().hex}"


class Output(ABC):
    """An item of the type `kind`, the `index`-th of an output. `begin`, `more` and `end` give its
    events, which have no numbers yet; there is more text behind none but the last item."""

    kind: ClassVar[str]
    prefix: ClassVar[str]

    def __init__(self, index: int) -> None:
        self.id = new_id(self.prefix)
        self._index = index
        self._text = TextBuffer()

    def item(self, status: Status) -> Told:
        """The item as it is now."""
        return {"id": self.id, "type": self.kind, "status": status, **self._fields()}

    def begin(self) -> Iterator[Told]:
        """Of the item, in which nothing is yet."""
        yield self._of_output("output_item.added", item=self.item("in_progress"))

    def more(self, text: str, tokens: Sequence[Token]) -> Told:
        """Of more text, for which these tokens were drawn, as far as that is asked for."""
        self._text.add(text)
        return self._delta(text, tokens)

    def end(self, status: Status, tokens: Sequence[Token]) -> Iterator[Told]:
        """Of its end; no text was told for these last tokens."""
        yield from self._closing()
        yield self._of_output("output_item.done", item=self.item(status))

    @abstractmethod
    def _fields(self) -> Told:
        """What only items of its kind have."""

    @abstractmethod
    def _delta(self, text: str, tokens: Sequence[Token]) -> Told:
        """The event of more text."""

    @abstractmethod
    def _closing(self) -> Iterator[Told]:
        """The events between the last text and the end of the item."""

    def _of_output(self, kind: str, **fields: Any) -> Told:
        return {"type": f"response.{kind}", "output_index": self._index, **fields}

    def _of_item(self, kind: str, **fields: Any) -> Told:
        return self._of_output(kind, item_id=self.id, **fields)


class PartOutput(Output):
    """An item whose text is in its only part, of the type `part`."""

    part: ClassVar[str]

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self._begun = False

    def begin(self) -> Iterator[Told]:
        yield from super().begin()
        self._begun = True
        yield self._of_part("content_part.added", part=self._part())

    def _content(self) -> list[Told]:
        return [self._part()] if self._begun else []

    def _part(self) -> Told:
        return {"type": self.part, "text": str(self._text)}

    def _delta(self, text: str, tokens: Sequence[Token]) -> Told:
        return self._of_part(f"{self.part}.delta", delta=text)

    def _done(self) -> Told:
        return self._of_part(f"{self.part}.done", text=str(self._text))

    def _closing(self) -> Iterator[Told]:
        yield self._done()
        yield self._of_part("content_part.done", part=self._part())

    def _of_part(self, kind: str, **fields: Any) -> Told:
        return self._of_item(kind, content_index=0, **fields)


class MessageOutput(PartOutput):
    """Text for the user."""

    kind, prefix, part = "message", "msg", "output_text"

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self._drawn: list[Told] = []

    def end(self, status: Status, tokens: Sequence[Token]) -> Iterator[Told]:
        self._note(tokens)
        yield from super().end(status, tokens)

    def _fields(self) -> Told:
        return {"role": "assistant", "content": self._content()}

    def _part(self) -> Told:
        return {**super()._part(), "annotations": [], "logprobs": [*self._drawn]}

    def _note(self, tokens: Sequence[Token]) -> None:
        self._drawn += map(with_top, tokens)

    def _delta(self, text: str, tokens: Sequence[Token]) -> Told:
        self._note(tokens)
        drawn = self._drawn[len(self._drawn) - len(tokens) :]
        return {**super()._delta(text, tokens), "logprobs": _brief(drawn)}

    def _done(self) -> Told:
        return {**super()._done(), "logprobs": _brief(self._drawn)}


class ReasoningOutput(PartOutput):
    """What the model reasons before it answers, whole: nothing summarizes it."""

    kind, prefix, part = "reasoning", "rs", "reasoning_text"

    def _fields(self) -> Told:
        return {"summary": [], "content": self._content()}


class CallOutput(Output):
    """A call of the function `name`, its text the `payload`."""

    kind, prefix, payload = "function_call", "fc", "arguments"

    def __init__(self, index: int, name: str, call_id: str) -> None:
        super().__init__(index)
        self._name = name
        self._call_id = call_id

    def _fields(self) -> Told:
        return {"call_id": self._call_id, "name": self._name, self.payload: str(self._text)}

    def _delta(self, text: str, tokens: Sequence[Token]) -> Told:
        return self._of_item(f"{self.kind}_{self.payload}.delta", delta=text)

    def _closing(self) -> Iterator[Told]:
        yield self._of_item(f"{self.kind}_{self.payload}.done", **self._done())

    def _done(self) -> Told:
        return {"name": self._name, self.payload: str(self._text)}


class CustomOutput(CallOutput):
    """A call of the custom tool `name`."""

    kind, prefix, payload = "custom_tool_call", "ctc", "input"

    def _done(self) -> Told:
        return {self.payload: str(self._text)}


def _brief(drawn: Sequence[Told]) -> list[Told]:
    """As events have them: without the bytes."""
    return [
        {**_token(entry), "top_logprobs": [_token(other) for other in entry["top_logprobs"]]}
        for entry in drawn
    ]


def _token(entry: Told) -> Told:
    return {"token": entry["token"], "logprob": entry["logprob"]}

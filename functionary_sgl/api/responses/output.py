"""Items of a response's output while they come into being, and the events that tell of it."""

import uuid
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from functionary_sgl.api.logprobs import with_top
from functionary_sgl.runtime.events import Token
from functionary_sgl.runtime.text import TextBuffer

Told = dict[str, Any]
Status = Literal["in_progress", "completed", "incomplete"]


def new_id(kind: str) -> str:
    """A new id in OpenAI's form: `resp` gives `resp_...`."""
    return f"{kind}_{uuid.uuid4().hex}"


class Output:
    """An item, the `index`-th of an output. `begin`, `more` and `end` give its events, which have
    no numbers yet; there is more text behind none but the last item."""

    prefix = ""

    def __init__(self, index: int) -> None:
        self.id = new_id(self.prefix)
        self._index = index
        self._text = TextBuffer()

    def item(self, status: Status) -> Told:
        """The item as it is now."""
        raise NotImplementedError

    def begin(self) -> Iterator[Told]:
        """Of the item, in which nothing is yet."""
        yield self._of_output("output_item.added", item=self.item("in_progress"))

    def more(self, text: str, tokens: Sequence[Token]) -> Told:
        """Of more text, for which these tokens were drawn, as far as that is asked for."""
        self._text.add(text)
        return self._delta(text, tokens)

    def end(self, status: Status, tokens: Sequence[Token]) -> Iterator[Told]:
        """Of its end; no text was told for these last tokens."""
        self._note(tokens)
        yield from self._closing()
        yield self._of_output("output_item.done", item=self.item(status))

    def _note(self, tokens: Sequence[Token]) -> None:
        """Keep what was drawn, where that is told."""

    def _delta(self, text: str, tokens: Sequence[Token]) -> Told:
        raise NotImplementedError

    def _closing(self) -> Iterator[Told]:
        raise NotImplementedError

    def _of_output(self, kind: str, **fields: Any) -> Told:
        return {"type": f"response.{kind}", "output_index": self._index, **fields}

    def _of_item(self, kind: str, **fields: Any) -> Told:
        return self._of_output(kind, item_id=self.id, **fields)


class MessageOutput(Output):
    """Text for the user."""

    prefix = "msg"

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self._drawn: list[Told] = []
        self._begun = False

    def item(self, status: Status) -> Told:
        content = [self._part()] if self._begun else []
        return {
            "id": self.id,
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": content,
        }

    def begin(self) -> Iterator[Told]:
        yield from super().begin()
        self._begun = True
        yield self._of_part("content_part.added", part=self._part())

    def _part(self) -> Told:
        text = str(self._text)
        return {"type": "output_text", "text": text, "annotations": [], "logprobs": [*self._drawn]}

    def _note(self, tokens: Sequence[Token]) -> None:
        self._drawn += map(with_top, tokens)

    def _delta(self, text: str, tokens: Sequence[Token]) -> Told:
        self._note(tokens)
        drawn = self._drawn[len(self._drawn) - len(tokens) :]
        return self._of_part("output_text.delta", delta=text, logprobs=_brief(drawn))

    def _closing(self) -> Iterator[Told]:
        text, drawn = str(self._text), _brief(self._drawn)
        yield self._of_part("output_text.done", text=text, logprobs=drawn)
        yield self._of_part("content_part.done", part=self._part())

    def _of_part(self, kind: str, **fields: Any) -> Told:
        return self._of_item(kind, content_index=0, **fields)


class ReasoningOutput(Output):
    """What the model reasons before it answers, whole: nothing summarizes it."""

    prefix = "rs"

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self._begun = False

    def item(self, status: Status) -> Told:
        content = [self._part()] if self._begun else []
        return {
            "id": self.id,
            "type": "reasoning",
            "status": status,
            "summary": [],
            "content": content,
        }

    def begin(self) -> Iterator[Told]:
        yield from super().begin()
        self._begun = True
        yield self._of_part("content_part.added", part=self._part())

    def _part(self) -> Told:
        return {"type": "reasoning_text", "text": str(self._text)}

    def _delta(self, text: str, tokens: Sequence[Token]) -> Told:
        return self._of_part("reasoning_text.delta", delta=text)

    def _closing(self) -> Iterator[Told]:
        yield self._of_part("reasoning_text.done", text=str(self._text))
        yield self._of_part("content_part.done", part=self._part())

    def _of_part(self, kind: str, **fields: Any) -> Told:
        return self._of_item(kind, content_index=0, **fields)


class CallOutput(Output):
    """A call of the function `name`."""

    prefix = "fc"

    def __init__(self, index: int, name: str, call_id: str) -> None:
        super().__init__(index)
        self._name = name
        self._call_id = call_id

    def item(self, status: Status) -> Told:
        return {
            "id": self.id,
            "type": "function_call",
            "status": status,
            "call_id": self._call_id,
            "name": self._name,
            "arguments": str(self._text),
        }

    def _delta(self, text: str, tokens: Sequence[Token]) -> Told:
        return self._of_item("function_call_arguments.delta", delta=text)

    def _closing(self) -> Iterator[Told]:
        told = {"name": self._name, "arguments": str(self._text)}
        yield self._of_item("function_call_arguments.done", **told)


class CustomOutput(CallOutput):
    """A call of the custom tool `name`."""

    prefix = "ctc"

    def item(self, status: Status) -> Told:
        return {
            "id": self.id,
            "type": "custom_tool_call",
            "status": status,
            "call_id": self._call_id,
            "name": self._name,
            "input": str(self._text),
        }

    def _delta(self, text: str, tokens: Sequence[Token]) -> Told:
        return self._of_item("custom_tool_call_input.delta", delta=text)

    def _closing(self) -> Iterator[Told]:
        yield self._of_item("custom_tool_call_input.done", input=str(self._text))


def _brief(drawn: Sequence[Told]) -> list[Told]:
    """As events have them: without the bytes."""
    return [
        {**_token(entry), "top_logprobs": [_token(other) for other in entry["top_logprobs"]]}
        for entry in drawn
    ]


def _token(entry: Told) -> Told:
    return {"token": entry["token"], "logprob": entry["logprob"]}

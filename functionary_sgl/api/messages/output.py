"""Blocks of an answer while they come into being, and the deltas that tell of them."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

import orjson

Told = dict[str, Any]

UNSIGNED = "unsigned"
"""The signature of reasoning. It says what is the case: nothing is signed here, and none is looked
at. There has to be one, or clients keep the reasoning to themselves."""


class Output(ABC):
    """A block of an answer. `head` is it before there is anything in it; `more` gives the deltas of
    more text, and `end` those behind the last of it."""

    @abstractmethod
    def head(self) -> Told:
        """The block that a stream begins it with."""

    @abstractmethod
    def more(self, text: str) -> Iterator[Told]:
        """Of more text."""

    def end(self) -> Iterator[Told]:
        yield from ()


class TextOutput(Output):
    """Text for the user."""

    def head(self) -> Told:
        return {"type": "text", "text": ""}

    def more(self, text: str) -> Iterator[Told]:
        yield {"type": "text_delta", "text": text}


class ThinkingOutput(Output):
    """What the model reasons before it answers, whole, unless the client `omits` it."""

    omits: ClassVar[bool] = False

    def head(self) -> Told:
        return {"type": "thinking", "thinking": "", "signature": ""}

    def more(self, text: str) -> Iterator[Told]:
        if not self.omits:
            yield {"type": "thinking_delta", "thinking": text}

    def end(self) -> Iterator[Told]:
        yield {"type": "signature_delta", "signature": UNSIGNED}


class OmittedThinkingOutput(ThinkingOutput):
    """The same, of which the client wants to see nothing but that there is some."""

    omits = True


class UseOutput(Output):
    """A call of the tool `name`. Its text is JSON; of the code interpreter, `code`, which is put
    into some."""

    def __init__(self, name: str, call_id: str, *, code: bool) -> None:
        self._name = name
        self._id = call_id
        self._code = code
        self._begun = False

    def head(self) -> Told:
        return {"type": "tool_use", "id": self._id, "name": self._name, "input": {}}

    def more(self, text: str) -> Iterator[Told]:
        if self._code:
            text = orjson.dumps(text).decode()[1:-1]
            text = text if self._begun else f'{{"code": "{text}'
        self._begun = True
        yield {"type": "input_json_delta", "partial_json": text}

    def end(self) -> Iterator[Told]:
        if self._code and self._begun:
            yield {"type": "input_json_delta", "partial_json": '"}'}

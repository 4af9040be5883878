"""What reads the arguments of a call that are no JSON, and gives the JSON object that they say."""

import json
from collections.abc import Callable


def quoted(text: str) -> str:
    """`text` as a JSON string."""
    return json.dumps(text, ensure_ascii=False)


class Members:
    """Takes text and tells members of an object in steps, from the `first` on. A step passes what
    it has read and gives what that says, None as long as it needs more. `ended`: whether the object
    is complete; `passed` counts the characters up to there."""

    def __init__(self, first: Callable[[], str | None]) -> None:
        self._text = ""
        self._step = first
        self._is_first = True
        self.ended = False
        self.passed = 0

    def feed(self, text: str) -> str:
        """The JSON that the characters so far say; nothing more behind the end."""
        self._text += text
        told = []
        while not self.ended and (said := self._step()) is not None:
            told.append(said)
        return "".join(told)

    def _pass(self, count: int) -> None:
        self.passed += count
        self._text = self._text[count:]

    def _key(self, name: str) -> str:
        """What comes before the value of the next member."""
        before = "{" if self._is_first else ", "
        self._is_first = False
        return f"{before}{quoted(name)}: "

    def _end(self) -> str:
        """What comes behind the last."""
        self.ended = True
        return "{}" if self._is_first else "}"

"""Where the arguments of a call end that no grammar keeps in shape.

A JSON value ends them where its brackets are closed. Broken JSON may have no such end; then a stop
string ends it, as it would end text. The same stop string inside a string of the JSON is text.
"""

import re
from collections.abc import Sequence

from functionary_sgl.runtime.text import StopMatcher

# What has a meaning in JSON, character by character, and what is between.
_PIECES = re.compile(r'["\\{}\[\]]|[^"\\{}\[\]]+')


class ValueMatcher:
    """Like StopMatcher, but a JSON value that is complete ends the text too, behind its last
    character: then `ended` is true and `matched` None.

    A stop string inside a JSON string holds back what follows until it is known whether that is
    one: a string is followed by a comma, a colon or a bracket. If anything else comes, or nothing,
    its quotes do not belong together, and the stop string has ended the text.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = stops
        self._marks = StopMatcher(stops)
        self._brackets = _Brackets()
        self._fed = 0  # characters that they have seen
        self._held = ""
        self._in_doubt: str | None = None  # a stop string inside what may be a string
        self.matched: str | None = None
        self.passed = 0

    @property
    def ended(self) -> bool:
        """Whether the text is over."""
        return self.matched is not None or self._brackets.complete

    def feed(self, text: str) -> str:
        """The text that is certainly before the end; nothing more after it."""
        told = []
        for piece in _PIECES.findall(text):
            if self.ended:
                break
            told.append(self._step(piece))
        passed = "".join(told)
        self.passed += len(passed)
        return passed

    def close(self) -> str:
        """What was held back for a stop string that did not come."""
        if self.ended:
            return ""
        self.matched, self._in_doubt = self._in_doubt, None
        rest = self._marks.close()
        self.passed += len(rest)
        return rest

    def _step(self, piece: str) -> str:
        in_string = self._brackets.in_string
        self._brackets.step(piece)
        if self._in_doubt is not None:
            return self._judge(piece, in_string)
        certain = self._marks.feed(piece)
        self._fed += len(piece)
        if self._brackets.complete:
            return certain + self._marks.close()
        stop = self._marks.matched
        if stop is not None and self._brackets.in_string:
            behind = self._fed - self._marks.passed - len(stop)
            self._in_doubt, self._held = stop, stop + piece[len(piece) - behind :]
        else:
            self.matched = stop
        return certain

    def _judge(self, piece: str, in_string: bool) -> str:
        """Whether what is in doubt stands in a string, as far as `piece` tells."""
        held, self._held = self._held, self._held + piece
        if self._brackets.complete:
            return self._held
        if in_string or piece.isspace():
            return ""
        if piece.lstrip()[0] not in ",:}]":
            self.matched = self._in_doubt
            return ""
        self._in_doubt, self._held = None, ""
        self._marks = StopMatcher(self._stops)
        self._fed = len(piece)
        certain = self._marks.feed(piece)
        self.matched = self._marks.matched
        return held + certain


class _Brackets:
    """Counts the brackets of a JSON text outside of its strings.

    complete: whether the object, array or string with which the text began is closed. What begins
        with anything else has no end, and no strings.
    """

    def __init__(self) -> None:
        self._begun = False
        self._depth = 0
        self._escaped = False
        self.in_string = False
        self.complete = False

    def step(self, piece: str) -> None:
        """Take the next of `_PIECES`."""
        if self.in_string:
            self._step_in_string(piece)
        elif self._depth or not self._begun:
            self._begun = self._begun or not piece.isspace()
            if piece == '"':
                self.in_string = True
            elif piece in ("{", "["):
                self._depth += 1
            elif piece in ("}", "]") and self._depth:
                self._depth -= 1
                self.complete = not self._depth

    def _step_in_string(self, piece: str) -> None:
        if self._escaped:
            self._escaped = False
        elif piece == "\\":
            self._escaped = True
        elif piece == '"':
            self.in_string = False
            self.complete = not self._depth

"""Text that grows: where a stop string ends it, and what of it may already be told.

All of it works on one character after the other, so the result does not depend on how the text
was cut.
"""

import json
import re
from collections.abc import Sequence
from typing import Protocol


class TextBuffer:
    """A text that grows, kept as its bytes: a list of its pieces takes ten times as much."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def add(self, text: str) -> None:
        """Put `text` at the end."""
        self._bytes += text.encode(errors="surrogatepass")

    def __str__(self) -> str:
        return self._bytes.decode(errors="surrogatepass")


class Matcher(Protocol):
    """Finds where a text ends. `matched` is the stop string that ended it, None until one did;
    `passed` counts the characters that are certainly before the end."""

    matched: str | None
    passed: int

    @property
    def ended(self) -> bool:
        """Whether the text is over."""

    def feed(self, text: str) -> str:
        """The text that is certainly before the end; nothing more after it."""

    def close(self) -> str:
        """What was held back for an end that did not come."""


class StopMatcher:
    """Finds the stop string that is complete first; of several, the longest.

    `matched` is that stop string, None until there is one; `passed` counts the characters before
    it (before what is held, while there is none).
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._first = frozenset(stop[0] for stop in self._stops)
        self._beginnings = frozenset(s[:size] for s in self._stops for size in range(1, len(s)))
        self._longest = max(map(len, self._stops), default=0)
        self._held = ""
        self.matched: str | None = None
        self.passed = 0

    @property
    def ended(self) -> bool:
        """Whether the text is over."""
        return self.matched is not None

    def feed(self, text: str) -> str:
        """The text that is certainly outside any stop string; nothing more after a match."""
        text = self._held + text
        if self._first.isdisjoint(text):  # as a rule, and this is quick however many there are
            self._held = ""
            self.passed += len(text)
            return text
        found = [(at + len(stop), at, stop) for stop in self._stops if (at := text.find(stop)) >= 0]
        if found:
            _, safe, self.matched = min(found)
            self._held = ""
        else:
            safe = self._safe_length(text)
            self._held = text[safe:]
        self.passed += safe
        return text[:safe]

    def close(self) -> str:
        """What was held back for a stop string that did not come."""
        held, self._held = self._held, ""
        self.passed += len(held)
        return held

    def _safe_length(self, text: str) -> int:
        for size in range(min(self._longest - 1, len(text)), 0, -1):
            if text[-size:] in self._beginnings:
                return len(text) - size
        return len(text)


class TextFilter(Protocol):
    """Decides what of a payload's text is told."""

    def feed(self, text: str) -> str:
        """What can be told now that `text` has come."""


class Trimmer:
    """Passes text on without the white space at its two ends, or at one of them, or at neither;
    text that is nothing but white space is never told."""

    def __init__(self, *, at_the_beginning: bool = True, at_the_end: bool = True) -> None:
        self._at_the_beginning = at_the_beginning
        self._at_the_end = at_the_end
        self._held = ""
        self._begun = False

    def feed(self, text: str) -> str:
        """What can be told now; white space waits for what follows it."""
        text = self._held + text
        if not self._begun and self._at_the_beginning:
            text = text.lstrip()
        self._begun = self._begun or not (text.isspace() or not text)
        keeps_end = self._begun and not self._at_the_end
        told = text if keeps_end else text.rstrip()
        self._held = text[len(told) :]
        return told


class Verbatim:
    """Passes all text on as it is."""

    def feed(self, text: str) -> str:
        """`text`."""
        return text


class JSONString:
    """Takes the text of a JSON string, quotes included, and gives what the string says; of several
    strings, the one that stands `behind` so many quotes.

    Half of a surrogate pair becomes U+FFFD, for it is no character.
    """

    _PAIR = r"\\u[dD][89abAB]..\\u[dD][c-fC-F].."
    _HALF = r"\\u[dD][89abAB]..(?=[^\\]|\\[^u]|\\u(?![dD][c-fC-F])....)"
    _OTHER = r"\\u(?![dD][89abAB])....|\\[^u]|[^\\\"]+|\""
    _UNIT = re.compile(f"{_PAIR}|{_HALF}|{_OTHER}", re.DOTALL)

    def __init__(self, behind: int = 0) -> None:
        self._held = ""
        self._quotes = -behind

    def feed(self, text: str) -> str:
        """What the characters that are complete now say; nothing more after the closing quote."""
        text = self._held + text
        told, end = [], 0
        while found := self._UNIT.match(text, end):
            unit, end = found[0], found.end()
            if unit == '"':
                self._quotes += 1
            elif self._quotes == 1:
                told.append(_said(unit))
        self._held = text[end:]
        return "".join(told)


def _said(unit: str) -> str:
    """What an escape, or characters that stand for themselves, say."""
    said: str = json.loads(f'"{unit}"') if unit.startswith("\\") else unit
    return said.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

"""Control tokens belong to the template; client text that looks like one stays text.

Whatever a template interpolates is marked first: a private mark is put inside every control-token
string of the value, and between two values that could form one together. The rendered text is
then split at the control tokens that are left, which only the template can have written, and the
marks are taken out again.
"""

import re
from collections.abc import Iterable, Iterator

# A Unicode noncharacter: reserved for internal use, never part of text that is exchanged.
_MARK = "\ufdd0"
_BREAK = _MARK + "1"
_LITERAL = _MARK + "0"

_SEARCHED = 65_536


class ControlTokens:
    """The control-token strings of one tokenizer."""

    def __init__(self, tokens: Iterable[str]) -> None:
        longest_first = sorted(tokens, key=len, reverse=True)
        self._any = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
        self._beginnings = frozenset(t[:size] for t in longest_first for size in range(1, len(t)))
        self._longest = max(map(len, longest_first), default=0)

    def mark(self, value: object) -> str:
        """`value` as text in which no control token can be found, alone or with what follows."""
        text = str(value)
        if _MARK in text:
            text = text.replace(_MARK, _LITERAL)
        if found := [match.start() + 1 for match in self._found(text)]:
            bounds = zip([0, *found], [*found, len(text)], strict=True)
            text = _BREAK.join(text[start:end] for start, end in bounds)
        if self._ends_like_a_control_token(text):
            text += _BREAK
        return text

    def unmark(self, text: str) -> str:
        """The text that was marked."""
        return text.replace(_BREAK, "").replace(_LITERAL, _MARK) if _MARK in text else text

    def split(self, marked: str) -> Iterator[tuple[str, bool]]:
        """The pieces of a rendered text, still marked, each with whether it is a control token."""
        done = 0
        for match in self._found(marked):
            if done < match.start():
                yield marked[done : match.start()], False
            yield match[0], True
            done = match.end()
        if done < len(marked):
            yield marked[done:], False

    def _found(self, text: str) -> Iterator[re.Match[str]]:
        """The control tokens in `text`. A search that finds nothing lets no other thread run, so no
        single one goes far."""
        start = 0
        while start < len(text):
            far = start + _SEARCHED
            match = self._any.search(text, start, far + self._longest)
            if match is None or match.start() >= far:
                start = far
            else:
                yield match
                start = match.end()

    def _ends_like_a_control_token(self, text: str) -> bool:
        sizes = range(1, min(self._longest, len(text) + 1))
        return any(text[-size:] in self._beginnings for size in sizes)

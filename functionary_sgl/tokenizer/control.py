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


class ControlTokens:
    """The control-token strings of one tokenizer."""

    def __init__(self, tokens: Iterable[str]) -> None:
        longest_first = sorted(tokens, key=len, reverse=True)
        self._any = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
        self._split = re.compile(f"({self._any.pattern})")
        self._beginnings = frozenset(t[:size] for t in longest_first for size in range(1, len(t)))
        self._longest = max(map(len, longest_first), default=0)

    def mark(self, value: object) -> str:
        """`value` as text in which no control token can be found, alone or with what follows."""
        text = str(value)
        if _MARK in text:
            text = text.replace(_MARK, _LITERAL)
        if self._any.search(text):
            text = self._any.sub(lambda found: found[0][0] + _BREAK + found[0][1:], text)
        if self._ends_like_a_control_token(text):
            text += _BREAK
        return text

    def unmark(self, text: str) -> str:
        """The text that was marked."""
        return text.replace(_BREAK, "").replace(_LITERAL, _MARK) if _MARK in text else text

    def split(self, marked: str) -> Iterator[tuple[str, bool]]:
        """The pieces of a rendered text, still marked, each with whether it is a control token."""
        for index, piece in enumerate(self._split.split(marked)):
            if piece:
                yield piece, index % 2 == 1

    def _ends_like_a_control_token(self, text: str) -> bool:
        sizes = range(1, min(self._longest, len(text) + 1))
        return any(text[-size:] in self._beginnings for size in sizes)

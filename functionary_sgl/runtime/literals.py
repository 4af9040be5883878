"""Literals of Python as JSON: strings in either quotes, `True`, `None`, lists and dictionaries."""

import re
from collections.abc import Callable

from functionary_sgl.grammars.rules import CAPITALS
from functionary_sgl.runtime.members import quoted

_WORDS = {word: word for word in CAPITALS} | {c: word for word, c in CAPITALS.items()}
_WORD = re.compile(r"[^\s,:\[\](){}'\"]*")
_SPACES = re.compile(r"\s*")
_CLOSING = {"[": "]", "(": "]", "{": "}"}
_CLOSED = {"]": "]", ")": "]", "}": "}"}

_SIZES = {"x": 4, "u": 6, "U": 10}
"""Characters of an escape by a number; others have two."""

_SHORT = {
    **{"\\": "\\", "'": "'", '"': '"', "\n": "", "0": "\0", "a": "\a", "b": "\b"},
    **{"f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"},
}
_HEX = frozenset("0123456789abcdefABCDEF")
_NO_CHARACTER = "\ufffd"


class Literals:
    """Takes the text of one literal and gives its JSON, piece by piece. `ended`: whether it is
    complete: a word or a number is so before what cannot belong to it."""

    def __init__(self) -> None:
        self._open: list[str] = []
        self._quote = ""
        self._held = ""
        self._high = 0  # the first half of a surrogate pair
        self._is_word = False
        self.ended = False

    def feed(self, text: str) -> tuple[str, int]:
        """The JSON that is known now, and how many characters of `text` belong to the literal."""
        told: list[str] = []
        place = 0
        while place < len(text) and not self.ended:
            step: Callable[[str, int], tuple[str, int]]
            if self._quote:
                step = self._in_string
            elif self._is_word:
                step = self._in_word
            else:
                step = self._between
            said, place = step(text, place)
            told.append(said)
        return "".join(told), place

    def _between(self, text: str, place: int) -> tuple[str, int]:
        one = text[place]
        if one in "'\"":
            self._quote = one
            return '"', place + 1
        if one in _CLOSING:
            self._open.append(_CLOSING[one])
            return "[" if one != "{" else "{", place + 1
        if one in _CLOSED:
            if self._open:
                self._open.pop()
            self.ended = not self._open
            return _CLOSED[one], place + 1
        if one in ",:" or one.isspace():
            return one, place + 1
        self._is_word = True
        return "", place

    def _in_word(self, text: str, place: int) -> tuple[str, int]:
        found = _WORD.match(text, place)
        assert found is not None
        self._held += found[0]
        if found.end() == len(text):
            return "", found.end()
        word, self._held, self._is_word = self._held, "", False
        self.ended = not self._open
        return _WORDS.get(word, word), found.end()

    def _in_string(self, text: str, place: int) -> tuple[str, int]:
        if self._held:
            return self._escaped(text, place)
        end = place
        while end < len(text) and text[end] not in (self._quote, "\\"):
            end += 1
        said = self._said(text[place:end])
        if end == len(text):
            return said, end
        if text[end] == "\\":
            self._held = "\\"
            return said, end + 1
        self._quote = ""
        self.ended = not self._open
        return said + self._half() + '"', end + 1

    def _escaped(self, text: str, place: int) -> tuple[str, int]:
        """One character more of an escape; told when that is complete. One that is broken is text,
        and so is the backslash before what needs none."""
        one = text[place]
        is_number = len(self._held) > 1
        if is_number and one not in _HEX:
            held, self._held = self._held, ""
            return self._said(held), place
        self._held += one
        if len(self._held) < _SIZES.get(self._held[1], 2):
            return "", place + 1
        held, self._held = self._held, ""
        if not is_number:
            return self._said(_SHORT.get(held[1], held)), place + 1
        return self._of_code(int(held[2:], 16)), place + 1

    def _of_code(self, code: int) -> str:
        """The character of this number; of halves of surrogate pairs, those that belong together
        are one."""
        if self._high and 0xDC00 <= code < 0xE000:
            code += (self._high - 0xD800 << 10) + 0x2400
            self._high = 0
        if 0xD800 <= code < 0xDC00:
            before, self._high = self._half(), code
            return before
        is_character = code < 0x110000 and not 0xDC00 <= code < 0xE000
        return self._said(chr(code) if is_character else _NO_CHARACTER)

    def _said(self, text: str) -> str:
        """`text` as it stands in a JSON string."""
        return self._half() + quoted(text)[1:-1] if text else ""

    def _half(self) -> str:
        """What is told for half of a surrogate pair whose other half did not come."""
        told, self._high = _NO_CHARACTER * bool(self._high), 0
        return told

r"""Regular expressions of ECMA-262, which JSON Schema has, as all engines read them alike.

Grammar engines read Rust's dialect, which differs in silence: `\s` lacks U+FEFF and has U+0085, `.`
takes carriage returns, `[` and `&&` mean something inside a class. So each pattern is written anew,
classes as ranges and with every special character escaped. ECMA-262 is read with its flag `u`, as
JSON Schema recommends, and with the lone brackets and needless escapes that are errors there and
that all engines take.
"""

import re
from collections.abc import Collection

_SPACE = (
    r"\t\n\u{b}\u{c}\r \u{a0}\u{1680}\u{2000}-\u{200a}\u{2028}\u{2029}\u{202f}\u{205f}\u{3000}"
    r"\u{feff}"
)
_CLASSES = {
    "d": "0-9",
    "D": r"\u{0}-\/:-\u{10ffff}",
    "w": "0-9A-Z_a-z",
    "W": r"\u{0}-\/:-@\[-\^`\{-\u{10ffff}",
    "s": _SPACE,
    "S": (
        r"\u{0}-\u{8}\u{e}-\u{1f}!-\u{9f}\u{a1}-\u{167f}\u{1681}-\u{1fff}\u{200b}-\u{2027}"
        r"\u{202a}-\u{202e}\u{2030}-\u{205e}\u{2060}-\u{2fff}\u{3001}-\u{fefe}\u{ff00}-\u{10ffff}"
    ),
}
_ANCHORS = {"A": "^", "Z": "$", "z": "$"}
"""Of Python and others; errors in ECMA-262."""

_CONTROLS = {"t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r"}
_ANY_BUT_LINE_ENDS = r"[^\n\r\u{2028}\u{2029}]"
_ANY = r"[\u{0}-\u{10ffff}]"
_NONE = r"[^\u{0}-\u{10ffff}]"

_MOST_OTHER = 200
"""Characters in texts that are to be left out."""

_SPECIAL = frozenset(r"\.+*?()|[]{}^$#&-~")  # inside a class or outside

_GROUP = re.compile(r"\((?:\?:|\?P?<[A-Za-z_]\w*>|(?!\?))")
_FLAG = re.compile(r"\(\?i(?=[:)])")
_DOT_ALL = re.compile(r"\(\?(?:s|si|is)\)")
_QUANTIFIER = re.compile(r"[*+?]|\{[0-9]+(?:,[0-9]*)?\}")
_HEX = re.compile(r"x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,6})\}")
_LOW_SURROGATE = re.compile(r"\\u([Dd][C-Fc-f][0-9A-Fa-f]{2})")
_PROPERTY = re.compile(r"[pP]\{[A-Za-z0-9_=]+\}")


class NotTranslated(Exception):
    """The pattern has no equal, or is read differently by different engines."""


def translated(pattern: str) -> str | None:
    """`pattern` as the engine writes it; None for look-around, back references, and whatever else
    it has no equal for or is no regular expression."""
    try:
        return _Translation(pattern).whole()
    except NotTranslated:
        return None


def other_than(texts: Collection[str]) -> str | None:
    """An expression, as the engine writes it, for all that is none of `texts`; None if it would be
    long."""
    return f"^{_other(set(texts))}$" if sum(map(len, texts)) <= _MOST_OTHER else None


def any_of(texts: Collection[str]) -> str:
    """An expression, as the engine writes it, for `texts` and nothing else."""
    return f"^(?:{'|'.join(''.join(map(_character, text)) for text in texts)})$"


def _other(texts: set[str]) -> str:
    firsts = sorted({text[0] for text in texts if text})
    others = "".join(map(_character, firsts))
    parts = [f"[^{others}]{_ANY}*" if firsts else f"{_ANY}+"]
    for first in firsts:
        rest = {text[1:] for text in texts if text.startswith(first)}
        parts.append(_character(first) + _other(rest))
    return f"(?:{'|'.join(parts)}){'' if '' in texts else '?'}"


class _Translation:
    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0
        self._dot = _ANY_BUT_LINE_ENDS

    def whole(self) -> str:
        parts = []
        if flags := self._match(_DOT_ALL):  # as many write what JavaScript has as a flag
            self._at = flags.end()
            self._dot = _ANY
            parts = ["(?i)"] if "i" in flags.group() else []
        while self._at < len(self._text):
            parts.append(self._term())
        return "".join(parts)

    def _term(self) -> str:
        char = self._text[self._at]
        if char == "(":
            return self._group()
        if char in "*+?" or self._match(_QUANTIFIER):
            return self._quantifier()
        if char == "{" and self._text[self._at + 1 : self._at + 2] in (",", ""):
            raise NotTranslated  # Python counts with {,3}
        self._at += 1
        if char == "\\":
            return self._escape()
        if char == "[":
            return self._class()
        if char == ".":
            return self._dot
        return char if char in "^$|)" else _character(char)

    def _match(self, expression: re.Pattern[str]) -> re.Match[str] | None:
        return expression.match(self._text, self._at)

    def _group(self) -> str:
        if flag := self._match(_FLAG):
            self._at = flag.end()
            return flag.group()
        found = self._match(_GROUP)
        if found is None:  # look-around, other flags
            raise NotTranslated
        self._at = found.end()
        return "(?:"

    def _quantifier(self) -> str:
        found = self._match(_QUANTIFIER)
        assert found is not None
        self._at = found.end()
        if self._text.startswith("?", self._at):  # lazy: the same texts
            self._at += 1
        if self._match(_QUANTIFIER):  # possessive elsewhere, an error in ECMA-262
            raise NotTranslated
        return found.group()

    def _escape(self) -> str:
        """What follows a backslash outside a class."""
        letter = self._text[self._at : self._at + 1]
        if letter in ("b", "B"):
            raise NotTranslated
        if letter in _ANCHORS and letter:
            self._at += 1
            return _ANCHORS[letter]
        char = self._one_escaped()
        return f"[{char}]" if len(char) > 1 else _character(char)

    def _one_escaped(self) -> str:
        """What follows a backslash: a character, or what stands in a class for several."""
        text, at = self._text, self._at
        char = text[at : at + 1]
        if found := self._match(_HEX):
            self._at = found.end()
            return self._code_point(int(found[1] or found[2] or found[3], 16))
        if found := self._match(_PROPERTY):
            self._at = found.end()
            return "\\" + found.group()
        self._at += 1
        if char in _CLASSES:
            return _CLASSES[char]
        if char in _CONTROLS:
            return _CONTROLS[char]
        if char == "c" and re.match("[A-Za-z]", text[at + 1 : at + 2]):
            self._at += 1
            return chr(ord(text[at + 1]) % 32)
        if char == "0" and not text[at + 1 : at + 2].isdigit():
            return "\0"
        if not char or (char.isascii() and char.isalnum()):
            raise NotTranslated
        return char

    def _code_point(self, code: int) -> str:
        if 0xD800 <= code < 0xDC00 and (low := self._match(_LOW_SURROGATE)):
            self._at = low.end()
            code = 0x10000 + (code - 0xD800) * 0x400 + int(low[1], 16) - 0xDC00
        if 0xD800 <= code < 0xE000 or code > 0x10FFFF:
            raise NotTranslated
        return chr(code)

    def _class(self) -> str:
        negated = self._text.startswith("^", self._at)
        self._at += negated
        members = []
        while not self._text.startswith("]", self._at):
            if self._text.startswith("[:", self._at):  # POSIX has names there
                raise NotTranslated
            members.append(self._range())
        self._at += 1
        if not members:
            return _ANY if negated else _NONE
        return f"[{'^' if negated else ''}{''.join(members)}]"

    def _range(self) -> str:
        first = self._member()
        bound = self._text[self._at + 1 : self._at + 2]
        if not self._text.startswith("-", self._at) or bound in ("]", ""):
            return _member(first)
        self._at += 1
        last = self._member()
        if len(first) == len(last) == 1:
            if first > last:
                raise NotTranslated
            return f"{_character(first)}-{_character(last)}"
        return _member(first) + _character("-") + _member(last)

    def _member(self) -> str:
        if self._at >= len(self._text):
            raise NotTranslated
        char = self._text[self._at]
        self._at += 1
        if char != "\\":
            return char
        if self._text.startswith("b", self._at):
            self._at += 1
            return "\b"
        return self._one_escaped()


def _member(member: str) -> str:
    return _character(member) if len(member) == 1 else member


def _character(char: str) -> str:
    if char in _SPECIAL:
        return f"\\{char}"
    return char if char.isprintable() else f"\\u{{{ord(char):x}}}"

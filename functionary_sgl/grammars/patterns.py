"""Regular expressions of ECMA-262 that match inside JSON strings, in every spelling of these.

What `pattern` means is a search in the value; here it becomes an expression for the whole text of
the string, its quotes included.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from functionary_sgl.grammars import characters
from functionary_sgl.grammars.characters import Ranges
from functionary_sgl.grammars.intervals import either
from functionary_sgl.grammars.strings import CHARACTER

_DEEPEST = 60

_CLASSES = {
    "d": characters.DIGITS,
    "D": characters.complement(characters.DIGITS),
    "w": characters.WORD,
    "W": characters.complement(characters.WORD),
    "s": characters.SPACE,
    "S": characters.complement(characters.SPACE),
}
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "v": "\v", "f": "\f"}
_COUNT = re.compile(r"\{([0-9]{1,6})(?:(,)([0-9]{1,6})?)?\}")
_CODE = re.compile(r"u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|c([A-Za-z])")
_GROUP = re.compile(r"\((?:\?:|\?<[A-Za-z_$][A-Za-z0-9_$]*>)?")


class Untranslatable(Exception):
    """Not of the kinds that are understood here."""


class _Variant(NamedTuple):
    """What matches, and whether it has to be at the string's start, and end."""

    matches: str
    at_start: bool = False
    at_end: bool = False


def pattern_text(pattern: str) -> str | None:
    """A regular expression for the JSON strings in whose value `pattern` is found; None if it is
    found in none.

    Raises Untranslatable.
    """
    variants = _Parser(pattern).parse()
    if not variants:
        return None
    before, after = f"{CHARACTER}*", f"{CHARACTER}*"
    branches = [
        f"{'' if start else before}{matches}{'' if end else after}"
        for matches, start, end in variants
    ]
    return rf"\x22{either(branches)}\x22"


class _Parser:
    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0
        self._depth = 0

    def parse(self) -> list[_Variant]:
        variants = self._choice()
        if self._at < len(self._text):
            raise Untranslatable
        return variants

    def _choice(self) -> list[_Variant]:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Untranslatable
        variants = self._sequence()
        while self._taken("|"):
            variants += self._sequence()
        self._depth -= 1
        return _merged(variants)

    def _sequence(self) -> list[_Variant]:
        variants = [_Variant("")]
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            variants = _merged(_joined(variants, self._counted()))
        return variants

    def _counted(self) -> list[_Variant]:
        variants = self._atom()
        count = self._count()
        if count is None:
            return variants
        self._taken("?")  # lazy: the same texts
        least, most = count
        if any(variant.at_start or variant.at_end for variant in variants):
            if count != (0, 1):
                raise Untranslatable
            return [_Variant(""), *variants]
        if not variants or most == 0:
            if least == 0:
                return [_Variant("")]
            return []
        times = f"{{{least},{'' if most is None else most}}}"
        return [_Variant(f"(?:{variants[0].matches}){times}")]

    def _count(self) -> tuple[int, int | None] | None:
        for sign, count in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._taken(sign):
                return count
        found = _COUNT.match(self._text, self._at)
        if found is None:
            return None
        self._at = found.end()
        least = int(found[1])
        most = least if found[2] is None else int(found[3]) if found[3] else None
        if most is not None and most < least:
            raise Untranslatable
        return least, most

    def _atom(self) -> list[_Variant]:
        character = self._text[self._at]
        if character == "(":
            return self._group()
        self._at += 1
        match character:
            case "^":
                return [_Variant("", at_start=True)]
            case "$":
                return [_Variant("", at_end=True)]
            case ".":
                return _of(characters.NO_LINE_END)
            case "[":
                return _of(self._class())
            case "\\":
                return _of(self._escape(in_class=False))
            case "*" | "+" | "?":
                raise Untranslatable
            case "{" if _COUNT.match(self._text, self._at - 1):
                raise Untranslatable
        return _of(characters.of(character))

    def _group(self) -> list[_Variant]:
        found = _GROUP.match(self._text, self._at)
        if found is None or self._text.startswith("?", found.end()):
            raise Untranslatable
        self._at = found.end()
        variants = self._choice()
        if not self._taken(")"):
            raise Untranslatable
        return variants

    def _class(self) -> Ranges:
        inverted = self._taken("^")
        ranges = list(self._members())
        found = characters.characters(ranges)
        return characters.complement(found) if inverted else found

    def _members(self) -> Iterator[tuple[int, int]]:
        while not self._taken("]"):
            first = self._member()
            if not (self._text.startswith("-", self._at) and self._text[self._at + 1 :][:1] != "]"):
                yield from first
                continue
            self._at += 1
            last = self._member()
            if not (_is_one(first) and _is_one(last)) or last[0][0] < first[0][0]:
                raise Untranslatable
            yield first[0][0], last[0][0]

    def _member(self) -> Ranges:
        if self._at >= len(self._text):
            raise Untranslatable
        character = self._text[self._at]
        self._at += 1
        return self._escape(in_class=True) if character == "\\" else characters.of(character)

    def _escape(self, in_class: bool) -> Ranges:
        letter = self._text[self._at : self._at + 1]
        if found := _CODE.match(self._text, self._at):
            return characters.characters([(code := self._code(found), code)])
        self._at += 1
        if letter in _CLASSES and letter:
            return _CLASSES[letter]
        if letter == "0" and not self._text[self._at : self._at + 1].isdigit():
            return characters.of("\0")
        if letter == "b" and in_class:
            return characters.of("\b")
        if letter in _CONTROLS and letter:
            return characters.of(_CONTROLS[letter])
        if not letter or (letter.isalnum() and letter.isascii()):
            raise Untranslatable
        return characters.of(letter)

    def _code(self, found: "re.Match[str]") -> int:
        self._at = found.end()
        if found[4]:
            return ord(found[4]) % 32
        code = int(found[1] or found[2] or found[3], 16)
        if found[2] and 0xD800 <= code < 0xDC00 and self._text.startswith("\\u", self._at):
            second = _CODE.match(self._text, self._at + 1)
            if second and second[2] and 0xDC00 <= (low := int(second[2], 16)) < 0xE000:
                self._at = second.end()
                return 0x10000 + (code - 0xD800 << 10) + low - 0xDC00
        if code > characters.LAST or 0xD800 <= code < 0xE000:
            raise Untranslatable
        return code

    def _taken(self, text: str) -> bool:
        taken = self._text.startswith(text, self._at)
        self._at += len(text) * taken
        return taken


def _of(ranges: Ranges) -> list[_Variant]:
    found = characters.spelled(ranges)
    return [] if found is None else [_Variant(found)]


def _is_one(ranges: Ranges) -> bool:
    return len(ranges) == 1 and ranges[0][0] == ranges[0][1]


def _joined(left: list[_Variant], right: list[_Variant]) -> list[_Variant]:
    joined = []
    for one in left:
        for other in right:
            if (other.at_start and one.matches) or (one.at_end and other.matches):
                raise Untranslatable
            start, end = one.at_start or other.at_start, one.at_end or other.at_end
            joined.append(_Variant(one.matches + other.matches, start, end))
    return joined


def _merged(variants: list[_Variant]) -> list[_Variant]:
    """Those that are bound to the same ends as one."""
    groups: dict[tuple[bool, bool], list[str]] = {}
    for matches, *ends in variants:
        groups.setdefault((ends[0], ends[1]), []).append(matches)
    return [
        _Variant(either(list(dict.fromkeys(matches))), start, end)
        for (start, end), matches in groups.items()
    ]

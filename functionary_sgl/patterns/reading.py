r"""Regular expressions of ECMA-262, which JSON Schema has, read as all engines read them alike.

They are read with the flag `u`, as JSON Schema recommends, and with the lone brackets and needless
escapes that are errors there and that all engines take. Flags at the head, named groups and the
anchors `\A` and `\Z` are taken as Python writes them, too.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from functionary_sgl.patterns import characters
from functionary_sgl.patterns.classes import Member, class_of
from functionary_sgl.patterns.tree import Anchor, Characters, Node, Repeat, choice, sequence

_DEEPEST = 60
"""Groups in groups."""

_CLASSES = {
    "d": characters.DIGITS,
    "D": characters.complement(characters.DIGITS),
    "w": characters.WORD,
    "W": characters.complement(characters.WORD),
    "s": characters.SPACE,
    "S": characters.complement(characters.SPACE),
}
_CONTROLS = {"t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r"}
_ANCHORS = {"A": Anchor(True), "Z": Anchor(False), "z": Anchor(False)}

_FLAGS = re.compile(r"\(\?(?:i|s|si|is)\)")
_GROUP = re.compile(r"\((?:\?(?:i|s|si|is)?:|\?P?<[A-Za-z_$][\w$]*>|(?!\?))")
_COUNT = re.compile(r"\{([0-9]{1,6})(?:(,)([0-9]{1,6})?)?\}")
_MORE = re.compile(r"[*+?]|\{[0-9]+(?:,[0-9]*)?\}")
_HEX = re.compile(r"x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,6})\}")
_LOW_SURROGATE = re.compile(r"\\u([Dd][C-Fc-f][0-9A-Fa-f]{2})")
_PROPERTY = re.compile(r"([pP])\{([A-Za-z0-9_=]+)\}")


class NotUnderstood(Exception):
    """It is no such expression, is read differently by different engines, or says what no grammar
    can: look-around, word boundaries, back references."""


class _Flags(NamedTuple):
    any_case: bool = False
    dot_is_all: bool = False

    def and_those_of(self, group: str) -> "_Flags":
        """These, and those that the head of a group names."""
        named = group.partition("?")[2].rstrip(":)") if "<" not in group else ""
        return _Flags(self.any_case or "i" in named, self.dot_is_all or "s" in named)


def parsed(pattern: str) -> Node:
    """What `pattern` says. Raises NotUnderstood."""
    return _Parser(pattern).whole()


class _Parser:
    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0
        self._depth = 0
        self._flags = _Flags()

    def whole(self) -> Node:
        if found := self._matched(_FLAGS):
            self._flags = self._flags.and_those_of(found[0])
        node = self._choice()
        if self._at < len(self._text):
            raise NotUnderstood
        return node

    def _choice(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise NotUnderstood
        options = [self._sequence()]
        while self._taken("|"):
            options.append(self._sequence())
        self._depth -= 1
        return choice(options)

    def _sequence(self) -> Node:
        parts = []
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            parts.append(self._counted())
        return sequence(parts)

    def _counted(self) -> Node:
        atom = self._atom()
        count = self._count()
        if count is None:
            return atom
        self._taken("?")  # lazy: the same texts
        if self._matched(_MORE):  # possessive elsewhere, an error in ECMA-262
            raise NotUnderstood
        return Repeat(atom, *count)

    def _count(self) -> tuple[int, int | None] | None:
        for sign, count in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._taken(sign):
                return count
        found = self._matched(_COUNT)
        if found is None:
            return None
        least = int(found[1])
        most = least if found[2] is None else int(found[3]) if found[3] else None
        if most is not None and most < least:
            raise NotUnderstood
        return least, most

    def _atom(self) -> Node:
        character = self._text[self._at]
        if character == "(":
            return self._group()
        if self._matched(_MORE):
            raise NotUnderstood
        self._at += 1
        match character:
            case "^" | "$":
                return Anchor(character == "^")
            case ".":
                dot_is_all = self._flags.dot_is_all
                return Characters(characters.ALL if dot_is_all else characters.NO_LINE_END)
            case "[":
                return self._class()
            case "\\":
                return self._escape()
            case "{" if self._text[self._at : self._at + 1] in (",", ""):
                raise NotUnderstood  # Python counts with {,3}
        return self._characters(Member(characters.of(character)))

    def _group(self) -> Node:
        found = self._matched(_GROUP)
        if found is None:
            raise NotUnderstood
        outside, self._flags = self._flags, self._flags.and_those_of(found[0])
        node = self._choice()
        self._flags = outside
        if not self._taken(")"):
            raise NotUnderstood
        return node

    def _escape(self) -> Node:
        letter = self._text[self._at : self._at + 1]
        if letter in _ANCHORS:
            self._at += 1
            return _ANCHORS[letter]
        if letter in ("b", "B"):
            raise NotUnderstood
        return self._characters(self._escaped())

    def _characters(self, *members: Member, inverted: bool = False) -> Node:
        return class_of(members, inverted, self._flags.any_case)

    def _class(self) -> Node:
        inverted = self._taken("^")
        members: list[Member] = []
        while not self._taken("]"):
            if self._text.startswith("[:", self._at):  # POSIX has names there
                raise NotUnderstood
            members += self._range()
        return self._characters(*members, inverted=inverted)

    def _range(self) -> Iterator[Member]:
        first = self._member()
        bound = self._text[self._at + 1 : self._at + 2]
        if not self._text.startswith("-", self._at) or bound in ("]", ""):
            yield first
            return
        self._at += 1
        last = self._member()
        if first.one is None or last.one is None:
            yield from (first, Member(characters.of("-")), last)
            return
        if last.one < first.one:
            raise NotUnderstood
        yield Member(characters.characters([(first.one, last.one)]))

    def _member(self) -> Member:
        character = self._text[self._at : self._at + 1]
        if not character:
            raise NotUnderstood
        self._at += 1
        if character != "\\":
            return Member(characters.of(character))
        if self._taken("b"):
            return Member(characters.of("\b"))
        return self._escaped()

    def _escaped(self) -> Member:
        """What follows a backslash and stands for characters."""
        if found := self._matched(_HEX):
            code = self._code_point(int(found[1] or found[2] or found[3], 16))
            return Member(characters.of(chr(code)))
        if found := self._matched(_PROPERTY):
            ranges = characters.of_property(found[2])
            if ranges is None:
                raise NotUnderstood
            inverted = found[1] == "P"
            return Member(characters.complement(ranges) if inverted else ranges, f"\\{found[0]}")
        letter, following = self._text[self._at : self._at + 1], self._text[self._at + 1 :][:1]
        self._at += 1
        if letter in _CLASSES:
            return Member(_CLASSES[letter])
        if letter == "c" and following.isascii() and following.isalpha():
            self._at += 1
            return Member(characters.of(chr(ord(following) % 32)))
        if letter == "0" and not following.isdigit():
            return Member(characters.of("\0"))
        known = letter in _CONTROLS
        if not known and (not letter or (letter.isascii() and letter.isalnum())):
            raise NotUnderstood
        return Member(characters.of(_CONTROLS.get(letter, letter)))

    def _code_point(self, code: int) -> int:
        if 0xD800 <= code < 0xDC00 and (low := self._matched(_LOW_SURROGATE)):
            code = 0x10000 + (code - 0xD800) * 0x400 + int(low[1], 16) - 0xDC00
        if 0xD800 <= code < 0xE000 or code > characters.LAST:
            raise NotUnderstood
        return code

    def _taken(self, text: str) -> bool:
        """Whether `text` stands here; the parser is behind it then."""
        taken = self._text.startswith(text, self._at)
        self._at += len(text) * taken
        return taken

    def _matched(self, expression: "re.Pattern[str]") -> "re.Match[str] | None":
        """What of `expression` stands here, with the parser behind it."""
        found = expression.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
        return found

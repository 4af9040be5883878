"""Classes of characters, and how a regular expression says them so that all engines agree.

Engines differ inside brackets: `[`, `&&`, `--` and `~~` mean something in some. So each character
that could be special is written with a backslash.
"""

from collections.abc import Sequence
from typing import NamedTuple

from functionary_sgl.patterns import characters
from functionary_sgl.patterns.characters import LAST, Ranges
from functionary_sgl.patterns.tree import Characters

_SPECIAL = frozenset(r"\.+*?()|[]{}^$#&-~")  # inside a class or outside


class Member(NamedTuple):
    r"""`ranges` of a class; `text`: as `\p{..}` says it."""

    ranges: Ranges
    text: str | None = None

    @property
    def one(self) -> int | None:
        """The only character, if it is one."""
        alone = len(self.ranges) == 1 and self.ranges[0][0] == self.ranges[0][1]
        return self.ranges[0][0] if alone else None


def class_of(members: Sequence[Member], inverted: bool, any_case: bool) -> Characters:
    """What is in one of `members`, or in none if `inverted`."""
    ranges = characters.characters(pair for member in members for pair in member.ranges)
    if any_case:
        ranges = characters.of_any_case(ranges)
    named = not any_case and any(member.text for member in members)
    inner = "".join(member.text or listed(member.ranges) for member in members)
    text = f"[{'^' * inverted}{inner}]" if named else None
    return Characters(characters.complement(ranges) if inverted else ranges, text)


def written(one: Characters) -> str:
    """A regular expression for `one`."""
    ranges = one.ranges
    if one.text is not None:
        return one.text
    if not ranges:
        return f"[^{listed(characters.ALL)}]"
    if ranges == characters.ALL:
        return f"[{listed(ranges)}]"
    if (code := Member(ranges).one) is not None:
        return character(chr(code))
    if ranges[-1][1] == LAST:
        return f"[^{listed(characters.complement(ranges))}]"
    return f"[{listed(ranges)}]"


def listed(ranges: Ranges) -> str:
    """`ranges` between the brackets of a class."""
    if ranges == characters.ALL:
        return r"\u{0}-\u{10ffff}"
    return "".join(
        character(chr(first)) + (f"-{character(chr(last))}" if last > first else "")
        for first, last in ranges
    )


def character(char: str) -> str:
    """`char`, inside a class or outside."""
    if char in _SPECIAL:
        return f"\\{char}"
    return char if char.isprintable() else f"\\u{{{ord(char):x}}}"

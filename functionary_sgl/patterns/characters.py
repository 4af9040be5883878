"""Sets of characters: ranges of code points, and the classes that regular expressions name."""

from collections.abc import Iterable, Iterator
from functools import cache, lru_cache

import regex

Ranges = tuple[tuple[int, int], ...]
"""Code points from and to, ascending, apart; without surrogates, which are no characters."""

LAST = 0x10FFFF
_SURROGATES = (0xD800, 0xDFFF)


def characters(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """All that are in one of `ranges`."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = merged[-1][0], max(last, merged[-1][1])
        else:
            merged.append((first, last))
    return tuple(without(merged, *_SURROGATES))


def complement(ranges: Ranges) -> Ranges:
    """All characters that are not in `ranges`."""
    found, next_ = [], 0
    for first, last in ranges:
        found.append((next_, first - 1))
        next_ = last + 1
    found.append((next_, LAST))
    return characters((first, last) for first, last in found if first <= last)


def of(text: str) -> Ranges:
    """Those in `text`."""
    return characters((ord(character), ord(character)) for character in text)


def without(ranges: Iterable[tuple[int, int]], least: int, most: int) -> Iterator[tuple[int, int]]:
    """`ranges` without the code points from `least` to `most`."""
    for first, last in ranges:
        if first < least:
            yield first, min(last, least - 1)
        if last > most:
            yield max(first, most + 1), last


def within(ranges: Ranges, least: int, most: int) -> Iterator[tuple[int, int]]:
    """Those of `ranges` from `least` to `most`."""
    for first, last in ranges:
        if first <= most and last >= least:
            yield max(first, least), min(last, most)


@lru_cache(maxsize=64)
def of_property(name: str) -> Ranges | None:
    r"""Those with a property of Unicode, named as in `\p{name}`; None if there is none."""
    try:
        return _matching(rf"\p{{{name}}}")
    except regex.error:
        return None


@lru_cache(maxsize=64)
def of_any_case(ranges: Ranges) -> Ranges:
    """`ranges` and what is equal to one of them where case does not matter: by Unicode's simple
    case folding, as with ECMA-262's flags `iu`."""
    if not ranges:
        return ()
    members = "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)
    return _matching(f"(?i:[{members}])")


def _matching(one: str) -> Ranges:
    found = regex.finditer(f"{one}+", _all(), regex.VERSION0)
    return characters((place.start(), place.end() - 1) for place in found)


@cache
def _all() -> str:
    """Each code point at its place; for a surrogate a null."""
    gap = _SURROGATES[1] + 1 - _SURROGATES[0]
    below, above = range(_SURROGATES[0]), range(_SURROGATES[1] + 1, LAST + 1)
    return "".join([*map(chr, below), "\0" * gap, *map(chr, above)])


# Of ECMA-262: CharacterClassEscape, WhiteSpace and LineTerminator.
DIGITS = characters([(0x30, 0x39)])
WORD = characters([(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)])
_LINE_ENDS = "\n\r\u2028\u2029"
_SPACES = "\t\v\f \u00a0\u1680\u202f\u205f\u3000\ufeff"
SPACE = characters([*of(_SPACES + _LINE_ENDS), (0x2000, 0x200A)])
ALL = characters([(0, LAST)])
NO_LINE_END = complement(of(_LINE_ENDS))

"""Sets of characters, and how JSON strings spell their members."""

from collections.abc import Iterable, Iterator
from functools import lru_cache

from functionary_sgl.grammars.strings import SHORT, literal

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
    return tuple(_without(merged, *_SURROGATES))


def complement(ranges: Ranges) -> Ranges:
    """All characters that are not in `ranges`."""
    found, next_ = [], 0
    for first, last in ranges:
        found.append((next_, first - 1))
        next_ = last + 1
    found.append((next_, LAST))
    return characters((first, last) for first, last in found if first <= last)


def of(text: str) -> Ranges:
    return characters((ord(character), ord(character)) for character in text)


@lru_cache(maxsize=1024)
def spelled(ranges: Ranges) -> str | None:
    """A regular expression for a member of `ranges` in every spelling; None if it has none."""
    branches = []
    raw = tuple(_without(_without(_without(ranges, 0, 0x1F), 0x22, 0x22), 0x5C, 0x5C))
    if raw:
        branches.append(f"[{''.join(_range(first, last) for first, last in raw)}]")
    short = "".join(f"\\x{ord(letter):02x}" for char, letter in SHORT.items() if _has(ranges, char))
    if short:
        branches.append(rf"\\[{short}]")
    branches += [
        rf"\\u{digits}"
        for first, last in _within(ranges, 0, 0xFFFF)
        for digits in _hexadecimals(f"{first:04x}", f"{last:04x}")
    ]
    for first, last in _within(ranges, 0x10000, LAST):
        branches += _pairs(first - 0x10000, last - 0x10000)
    if not branches:
        return None
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"


def _has(ranges: Ranges, character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in ranges)


def _range(first: int, last: int) -> str:
    return _literal(first) if first == last else f"{_literal(first)}-{_literal(last)}"


def _literal(code: int) -> str:
    return literal(chr(code))


def _without(ranges: Iterable[tuple[int, int]], least: int, most: int) -> Iterator[tuple[int, int]]:
    for first, last in ranges:
        if first < least:
            yield first, min(last, least - 1)
        if last > most:
            yield max(first, most + 1), last


def _within(ranges: Ranges, least: int, most: int) -> Iterator[tuple[int, int]]:
    for first, last in ranges:
        if first <= most and last >= least:
            yield max(first, least), min(last, most)


def _pairs(first: int, last: int) -> Iterator[str]:
    """Surrogate pairs for what is `first` to `last` behind the BMP."""
    high, low = divmod(first, 0x400)
    last_high, last_low = divmod(last, 0x400)
    if high < last_high and low:
        yield from _pair(high, high, low, 0x3FF)
        high, low = high + 1, 0
    if high < last_high and last_low < 0x3FF:
        yield from _pair(last_high, last_high, 0, last_low)
        last_high, last_low = last_high - 1, 0x3FF
    yield from _pair(high, last_high, low, last_low)


def _pair(high: int, last_high: int, low: int, last_low: int) -> Iterator[str]:
    highs = _hexadecimals(f"{0xD800 + high:04x}", f"{0xD800 + last_high:04x}")
    lows = list(_hexadecimals(f"{0xDC00 + low:04x}", f"{0xDC00 + last_low:04x}"))
    for first in highs:
        for second in lows:
            yield rf"\\u{first}\\u{second}"


def _hexadecimals(low: str, high: str) -> Iterator[str]:
    """The numbers from `low` to `high`, as many hexadecimal digits; alternatives."""
    if not low:
        yield ""
        return
    common = next((i for i, digit in enumerate(low) if digit != high[i]), len(low))
    lead = "".join(_digit(int(digit, 16), int(digit, 16)) for digit in low[:common])
    if common == len(low):
        yield lead
        return
    rest = len(low) - common - 1
    first, last = int(low[common], 16), int(high[common], 16)
    if low[common + 1 :].strip("0"):
        for below in _hexadecimals(low[common + 1 :], "f" * rest):
            yield f"{lead}{_digit(first, first)}{below}"
        first += 1
    tail = high[common + 1 :].strip("f")
    if tail:
        for above in _hexadecimals("0" * rest, high[common + 1 :]):
            yield f"{lead}{_digit(last, last)}{above}"
        last -= 1
    if first <= last:
        yield f"{lead}{_digit(first, last)}{_digit(0, 15) * rest}"


def _digit(least: int, most: int) -> str:
    """A hexadecimal digit from `least` to `most`, of either case."""
    digits = "0123456789abcdef"[least : most + 1]
    if len(digits) == 16:
        return "[0-9a-fA-F]"
    both = digits + digits[max(10 - least, 0) :].upper()
    return both if len(both) == 1 else f"[{both}]"


DIGITS = characters([(0x30, 0x39)])
WORD = characters([(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)])
# Of ECMA-262: WhiteSpace and LineTerminator.
_LINE_ENDS = "\n\r\u2028\u2029"
_SPACES = "\t\v\f \u00a0\u1680\u202f\u205f\u3000\ufeff"
SPACE = characters([*of(_SPACES + _LINE_ENDS), (0x2000, 0x200A)])
NO_LINE_END = complement(of(_LINE_ENDS))

"""How JSON strings, and texts as they stand, spell the members of a set of characters."""

from collections.abc import Iterator
from functools import lru_cache

from functionary_sgl.grammars.strings import SHORT, literal
from functionary_sgl.patterns.characters import LAST, Ranges, within, without


@lru_cache(maxsize=1024)
def spelled(ranges: Ranges, numbers: bool = True) -> str | None:
    r"""A regular expression for a member of `ranges` in every spelling, or without escapes by
    `numbers` (`\u00e9`); None if it has none."""
    branches = []
    raw = tuple(without(without(without(ranges, 0, 0x1F), 0x22, 0x22), 0x5C, 0x5C))
    if raw:
        branches.append(f"[{''.join(_range(first, last) for first, last in raw)}]")
    short = "".join(f"\\x{ord(letter):02x}" for char, letter in SHORT.items() if _has(ranges, char))
    if short:
        branches.append(rf"\\[{short}]")
    if numbers:
        branches += _numbered(ranges)
    if not branches:
        return None
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"


def plain(ranges: Ranges) -> str | None:
    """A regular expression for a member of `ranges` as it stands; None if it has none."""
    return f"[{''.join(_range(first, last) for first, last in ranges)}]" if ranges else None


def _numbered(ranges: Ranges) -> Iterator[str]:
    for first, last in within(ranges, 0, 0xFFFF):
        for digits in _hexadecimals(f"{first:04x}", f"{last:04x}"):
            yield rf"\\u{digits}"
    for first, last in within(ranges, 0x10000, LAST):
        yield from _pairs(first - 0x10000, last - 0x10000)


def _has(ranges: Ranges, character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in ranges)


def _range(first: int, last: int) -> str:
    return _literal(first) if first == last else f"{_literal(first)}-{_literal(last)}"


def _literal(code: int) -> str:
    return literal(chr(code))


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

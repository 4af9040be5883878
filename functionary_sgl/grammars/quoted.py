r"""How Python's string literals spell the members of a set of characters."""

from functionary_sgl.grammars.strings import literal
from functionary_sgl.patterns.characters import Ranges, within, without

QUOTES = ('"', "'")

ESCAPES = {
    **{"\\": "\\", "'": "'", '"': '"'},
    **{"\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"},
}
"""The characters that have a short escape, and its letter, of those that JSON has too."""

_HEX = "[0-9a-fA-F]"
_NUMBERED = (
    rf"x{_HEX}{{2}}|u(?:[0-9a-ce-fA-CE-F]{_HEX}{{3}}|[dD][0-7]{_HEX}{{2}})"
    rf"|U000[1-9a-fA-F]{_HEX}{{4}}|U0010{_HEX}{{4}}"
)


def character(quote: str) -> str:
    """A regular expression for a character between two of `quote`."""
    return rf"(?:[^{literal(quote)}\\\x00-\x1f]|\\(?:[\\\x22\x27bfnrt]|{_NUMBERED}))"


def spelled(ranges: Ranges, quote: str) -> str | None:
    """A regular expression for a member of `ranges` between two of `quote`: as it stands, if it may
    stand so; None if it has none."""
    raw = without(without(without(ranges, 0, 0x1F), ord(quote), ord(quote)), 0x5C, 0x5C)
    branches = []
    if text := "".join(_range(first, last) for first, last in raw):
        branches.append(f"[{text}]")
    for first, last in (*within(ranges, 0, 0x1F), *_escaped(ranges, quote)):
        for code in range(first, last + 1):
            letter = ESCAPES.get(chr(code))
            branches.append(rf"\\{literal(letter)}" if letter else rf"\\x{code:02x}")
    if not branches:
        return None
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"


def _escaped(ranges: Ranges, quote: str) -> list[tuple[int, int]]:
    return [pair for one in (quote, "\\") for pair in within(ranges, ord(one), ord(one))]


def _range(first: int, last: int) -> str:
    low, high = literal(chr(first)), literal(chr(last))
    return low if first == last else f"{low}-{high}"

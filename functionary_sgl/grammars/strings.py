"""JSON strings as regular expressions: each value in every spelling that JSON has for it.

A character is written as itself or as an escape; outside the BMP as two, a surrogate pair, which
count as one. A surrogate alone is never written: no text has one.
"""

from collections.abc import Iterable

from functionary_sgl.grammars.intervals import either

SHORT = {'"': '"', "\\": "\\", "/": "/", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}
"""The characters that have a short escape, and its letter."""

_HEX = "[0-9a-fA-F]"
# Of a character outside surrogates, and of a pair of these.
_ESCAPED = (
    rf"\\u(?:[0-9a-ce-fA-CE-F]{_HEX}{{3}}|[dD][0-7]{_HEX}{{2}}"
    rf"|[dD][89abAB]{_HEX}{{2}}\\u[dD][c-fC-F]{_HEX}{{2}})"
)
CHARACTER = rf"(?:[^\x22\\\x00-\x1f]|\\[\x22\\\x2fbfnrt]|{_ESCAPED})"

# Those that no writer of JSON escapes: a name or a value of these has one spelling in practice, and
# where only one thing can be written, the engine need not ask the model.
_PLAIN = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 !#$%()*,-.:;=?@[]^_{|}~"
)


def string(least: int = 0, most: int | None = None) -> str:
    """Strings of `least` to `most` characters."""
    if least == 0 and most is None:
        return rf"\x22{CHARACTER}*\x22"
    return rf"\x22{CHARACTER}{{{least},{'' if most is None else most}}}\x22"


def any_of(values: Iterable[str], every_spelling: bool) -> str:
    """One of `values`, at least one; without `every_spelling`, characters that no writer of JSON
    escapes are written as themselves."""
    return rf"\x22{either([spelled(value, every_spelling) for value in values])}\x22"


def spelled(value: str, every_spelling: bool) -> str:
    """What stands between the quotes of `value`."""
    return "".join(_spelled(character, every_spelling) for character in value)


def is_plain(value: str) -> bool:
    """Whether no writer of JSON escapes a character of `value`."""
    return _PLAIN.issuperset(value)


def literal(character: str) -> str:
    """`character` in a regular expression."""
    if character.isascii() and character.isalnum():
        return character
    return f"\\x{{{ord(character):x}}}"


def _spelled(character: str, every_spelling: bool) -> str:
    if character in _PLAIN and not every_spelling:
        return literal(character)
    branches = [] if character in '"\\' or character < " " else [literal(character)]
    if character in SHORT:
        branches.append(rf"\\{literal(SHORT[character])}")
    return f"(?:{'|'.join([*branches, escape(ord(character))])})"


def escape(code: int) -> str:
    """The escape of a character, as a pair outside the BMP."""
    if code < 0x10000:
        return rf"\\u{_hexadecimal(code)}"
    code -= 0x10000
    high, low = 0xD800 + (code >> 10), 0xDC00 + (code & 0x3FF)
    return rf"\\u{_hexadecimal(high)}\\u{_hexadecimal(low)}"


def _hexadecimal(code: int) -> str:
    digits = f"{code:04x}"
    return "".join(f"[{d}{d.upper()}]" if d.isalpha() else d for d in digits)

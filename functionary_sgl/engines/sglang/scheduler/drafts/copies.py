"""Values that are written again: a model that calls a function copies what was said to it.

All of it is text, as bytes, and not ids: ` Delhi` of a question is other tokens than `"Delhi`.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_MOST_PLACES = 8
_MOST_WORDS = 4
_LONGEST = 40
"""Bytes of a value, as far as it is written, that are looked for."""

_REST_OF_WORD = re.compile(rb"""[^\s"\\]*?(?=[.,;:?!)\]}'"]*(?:\s|$))""")
_ANOTHER_WORD = re.compile(rb" (?=[A-Z\d])")
_KEY = re.compile(rb'"[^"\\]*": *\[? *"?$')
_BARE = re.compile(rb"[:\[,] ?([\w.+-]*)$")


class Copy(NamedTuple):
    """What may follow: `text`, of so many words; `listed`: a comma is behind it in the source."""

    text: bytes
    words: int
    listed: bool


def value(text: bytes) -> bytes | None:
    """How far the JSON value is written in whose midst `text` ends; None outside of one. Of a
    string, what is behind its quote."""
    line = text[text.rfind(b"\n") + 1 :]
    # Without what is escaped, of the same length.
    plain = line.replace(rb"\\", b"  ").replace(rb"\"", b"  ")
    if plain.count(b'"') % 2:
        return line[plain.rfind(b'"') + 1 :]
    found = _BARE.search(line)
    return found and found[1]


def copies(source: bytes, begun: bytes) -> Iterator[Copy]:
    """How `source` goes on where it has the words `begun`, the last place first: to the end of the
    word, and on over words that begin like a name or a number."""
    begun = begun[-_LONGEST:]
    for place in _places(source, begun):
        start = place + len(begun)
        words, end = 0, start
        word = _REST_OF_WORD.match(source, start)
        while word and words < _MOST_WORDS:
            words, end = words + 1, word.end()
            gap = _ANOTHER_WORD.match(source, end)
            word = gap and _REST_OF_WORD.match(source, gap.end())
        if words:
            yield Copy(source[start:end], words, source[end : end + 1] == b",")


def again(source: bytes, text: bytes) -> bytes:
    """The word that followed the key with which `text` ends, where `source` last has that; nothing
    if there is none."""
    key = _KEY.search(text)
    at = source.rfind(key[0]) if key else -1
    found = _REST_OF_WORD.match(source, at + len(key[0])) if key and at >= 0 else None
    return found[0] if found else b""


def _places(source: bytes, begun: bytes) -> Iterator[int]:
    """Where words of `source` begin with `begun`."""
    end = len(source)
    for _ in range(_MOST_PLACES):
        at = source.rfind(begun, 0, end)
        if at < 0:
            return
        if not source[at - 1 : at].isalnum():
            yield at
        end = at + len(begun) - 1

"""What a constrained model would write, given what it would like to write."""

import random
import string
from collections import Counter
from dataclasses import replace
from functools import lru_cache

from llguidance import LLMatcher, LLTokenizer

from functionary_sgl.engines.base import Constraint
from functionary_sgl.engines.grammar import grammar, limits
from functionary_sgl.grammars.keywords import Keywords
from functionary_sgl.grammars.marks import Marks

# What is tried first where the script has nothing to say: whatever closes something.
_PREFERENCE = bytes(
    dict.fromkeys(('}]"' + ",:0" + string.ascii_lowercase + string.printable).encode())
)

_MOST_INVENTED_BYTES = 4096

_BYTEWISE = LLTokenizer("byte")


def follow(constraint: Constraint, wish: str) -> tuple[str, int]:
    """Text that satisfies `constraint`, as close to the beginning of `wish` as it allows, and how
    many characters of `wish` went into it.

    Where the next wish is forbidden: the end, if the text may end; else white space of the wish
    is passed over; else what is forced is written, if only one thing may follow; else the rest of
    the wish is given up and the text brought to an end.
    """
    follower = _Follower(constraint, wish.encode())
    text = follower.run()
    return text.decode(errors="ignore"), len(wish.encode()[: follower.used].decode(errors="ignore"))


@lru_cache(maxsize=64)
def _matcher(constraint: Constraint) -> LLMatcher:
    """One at the beginning of its text, to be copied: to compile a grammar takes far longer."""
    return LLMatcher(_BYTEWISE, grammar(constraint), limits=limits())


class _Follower:
    def __init__(self, constraint: Constraint, wish: bytes) -> None:
        # Only texts are written here: what has marks for a token has the text of that.
        self._marks = None if constraint.marks is None else constraint.marks.as_text()
        self._matcher = _matcher(replace(constraint, marks=self._marks)).deep_copy()
        self._is_json = constraint.kind == "json_schema"
        self._wish = wish
        self._text = bytearray()
        self._times_taken: Counter[int] = Counter()
        self._dice = random.Random(0)
        self.used = 0

    def run(self) -> bytes:
        invented = 0
        while not self._matcher.is_stopped() and invented < _MOST_INVENTED_BYTES:
            wished = self._wish[self.used : self.used + 1]
            if wished and self._take(wished[0]):
                self.used += 1
            elif self._matcher.is_accepting():
                break
            elif wished.isspace():
                self.used += 1
            elif len(allowed := self._allowed()) == 1:
                self._take(allowed[0])
            else:
                self.used = len(self._wish)
                self._invent(allowed)
                invented += 1
        return bytes(self._text)

    def _take(self, byte: int) -> bool:
        taken: bool = self._matcher.try_consume_tokens([byte]) == 1
        if taken:
            self._text.append(byte)
        return taken

    def _allowed(self) -> list[int]:
        mask = self._matcher.compute_bitmask()
        return [byte for byte in range(256) if mask[byte // 8] >> byte % 8 & 1]

    def _invent(self, allowed: list[int]) -> None:
        """Bring the text to its end: close what is open, else rotate through what is allowed, so
        that no loop of the grammar lasts for ever; some keep step with that, so then at random."""
        if isinstance(self._marks, Marks) and (mark := self._mark(self._marks)) in allowed:
            self._take(mark)
            return
        if isinstance(self._marks, Keywords):
            closing = _open_quote(bytes(self._text)) or self._marks.end + self._marks.value
            if found := [byte for byte in closing.encode() if byte in allowed]:
                self._take(found[0])
                return
        known = [byte for byte in _PREFERENCE if byte in allowed] or allowed
        closers = b'"' if ord("a") in allowed else b'}]",:'  # inside a string, and outside
        if self._is_json and known[0] in closers:
            byte = known[0]
        elif self._is_json and ord('"') in allowed:
            byte = ord('"')
        else:
            rotating = self._times_taken.total() < _MOST_INVENTED_BYTES / 2
            byte = (
                min(known, key=self._times_taken.__getitem__)
                if rotating
                else self._dice.choice(known)
            )
        self._times_taken[byte] += 1
        self._take(byte)

    def _mark(self, marks: Marks) -> int:
        """The next byte of the mark that ends what is open, of parameters."""
        key, value, close, end = (mark.encode() for mark in marks[:4])
        text, wanted = bytes(self._text), end
        _, opened, latest = text.rpartition(key)
        if opened:
            name, named, said = latest.partition(value)
            text, wanted = (said, close) if named else (name, value)
            if named and close in said:
                text, wanted = said.rpartition(close)[2], end
        begun = max(size for size in range(len(wanted)) if text.endswith(wanted[:size]))
        return wanted[begun]


def _open_quote(text: bytes) -> str:
    """The quote that closes the string in which a text of Python ends; empty outside of strings."""
    quote, escaped = "", False
    for one in text.decode(errors="ignore"):
        if quote:
            quote = "" if one == quote and not escaped else quote
            escaped = one == "\\" and not escaped
        elif one in "'\"":
            quote = one
    return quote

"""Ids of which each is likely if those before it come."""

from collections.abc import Sequence
from typing import Any

from functionary_sgl.engines.sglang.scheduler.drafts.copies import again, copies, value

# How often it comes so where it was foreseen: right calls of the Berkeley leaderboard.
_SPELLED = 0.9
_ENDED = 0.75
_WORD = 0.85
_ANOTHER_WORD = 0.9
_CLOSED = 0.86
_AGAIN = 0.4

_CLOSING = b"}]>"
"""How calls end."""


class Chain:
    """`ids` behind `said`, which `matcher` allows: at most `most`, and each is at least as likely
    as it is `worth`. From the first they are what must come."""

    def __init__(self, matcher: Any, tokenizer: Any, said: bytes, most: int, worth: float) -> None:
        self._ahead = matcher.deep_copy()
        self._tokenizer = tokenizer
        self._most = most
        self._worth = worth
        self._odds = 1.0
        self._text = said
        self.ids: list[int] = []
        self._add(self._ahead.compute_ff_tokens(), 1)

    def foresee(self, source: bytes, ends: Sequence[int]) -> None:
        """Go on as far as can be told: with what must be spelled, with one of `ends` behind a call,
        with what `source` has or was said before."""
        while len(self.ids) < self._most and self._go_on(source, ends):
            pass

    def _go_on(self, source: bytes, ends: Sequence[int]) -> bool:
        if self._add(self._ahead.compute_ff_tokens(), 1):
            return True
        if self._spell(self._ahead.compute_ff_bytes(), _SPELLED):
            return True
        if self._text[-1:] in _CLOSING and any(self._add([end], _ENDED) for end in ends):
            return False
        begun = value(self._text)
        if begun:
            return self._copy(source + self._text.removesuffix(begun), begun)
        if begun is None:
            return False
        return self._spell(again(source + self._text[:-1], self._text), _AGAIN)

    def _copy(self, source: bytes, begun: bytes) -> bool:
        for copy in copies(source, begun):
            if self._allows(copy.text) is not None:
                odds = _WORD * _ANOTHER_WORD ** (copy.words - 1)
                closed = self._closed(copy.text, copy.listed)
                return self._spell(closed, odds * _CLOSED) or self._spell(copy.text, odds)
        return self._allows(b'"') is None and self._spell(self._closed(b"", False), _CLOSED)

    def _closed(self, text: bytes, listed: bool) -> bytes:
        """`text` to the end of the value, and what follows that; nothing if it cannot end there.
        `listed`: if it is in a list, there is more."""
        if self._allows(text + b'"') is not None:
            text += b'"'
        is_in_list = self._allows(text + b"]") is not None
        for mark in ("", *(",]}" if listed and is_in_list else "]},")):
            behind = self._allows(text + mark.encode())
            following: bytes = b"" if behind is None else behind.compute_ff_bytes()
            if following or (mark and behind is not None):
                text += mark.encode()
                return text + following
        return b""

    def _allows(self, text: bytes) -> Any:
        """The matcher behind `text`; None where that may not come."""
        ids = self._tokenizer.tokenize_bytes(text)
        if self._ahead.validate_tokens(ids) < len(ids):
            return None
        behind = self._ahead.deep_copy()
        behind.consume_tokens(ids)
        return behind

    def _spell(self, text: bytes, odds: float) -> bool:
        return self._add(self._tokenizer.tokenize_bytes(text), odds)

    def _add(self, ids: Sequence[int], odds: float) -> bool:
        """Take as many of `ids` as may come; whether that is any."""
        count = self._ahead.validate_tokens(ids[: self._most - len(self.ids)])
        if not count or self._odds * odds < self._worth:
            return False
        self._odds *= odds
        self._ahead.consume_tokens(ids[:count])
        self.ids += ids[:count]
        self._text += self._tokenizer.decode_bytes(ids[:count])
        return True

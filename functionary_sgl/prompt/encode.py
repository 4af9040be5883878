"""Rendered text to token ids, with what is known already kept.

Pieces between control tokens tokenize independently, so each is kept by its text: the tools of
every request are tokenized once. And a conversation that goes on begins with the very ids that
the engine gave and has in its prefix cache, even where tokenizing the text anew would give others
(a sampled text is not always cut as a tokenizer would cut it).
"""

import hashlib
from array import array
from collections.abc import Iterable, Sequence
from threading import Lock
from typing import Any, NamedTuple

from cachetools import LRUCache

from functionary_sgl.tokenizer import Tokenizer

PIECES_TOKENS = 4_000_000
TURNS_TOKENS = 4_000_000

VARIANTS = 8
"""Texts that may be remembered of a turn: other tools beside it, or what follows, change them."""

_Pieces = list[tuple[str, bool]]


class _Span(NamedTuple):
    """The `ids` of what stands in a text behind its beginning that has the digest `start`; None:
    of all of it, what comes before every prompt included."""

    start: bytes | None
    ids: Sequence[int]


# By the digest of the text that ends with it.
_Turn = dict[bytes, _Span]


class PromptEncoder:
    """Thread-safe; the two caches are bounded by the size of what they hold."""

    def __init__(self, tokenizer: Tokenizer, leading: Sequence[int] = ()) -> None:
        """`leading`: ids before every prompt, such as the BOS that a tokenizer adds."""
        self._tokenizer = tokenizer
        self._leading = leading
        self._lock = Lock()
        self._pieces: LRUCache[str, Sequence[int]] = LRUCache(PIECES_TOKENS, getsizeof=len)
        self._turns: LRUCache[bytes, _Turn]
        self._turns = LRUCache(TURNS_TOKENS, getsizeof=_size)

    def encode(self, marked: str, told: Iterable[bytes] = (), most: int | None = None) -> list[int]:
        """The ids of a prompt, the leading ones included. `told` names the turns that it may go on
        from. OverflowError if one of its pieces has more than `most` ids."""
        pieces = list(self._tokenizer.control.split(marked))
        spans = self._remembered(pieces, told)
        ids: list[int] = [] if 0 in spans else list(self._leading)
        place = 0
        while place < len(pieces):
            if place in spans:
                place, remembered = spans[place]
                ids += remembered
                continue
            piece, is_control = pieces[place]
            if is_control:
                ids.append(self._tokenizer.control_ids[piece])
            elif place == 0:
                text = self._tokenizer.control.unmark(piece)
                ids += self._tokenizer.encode(text, leading=True, most=most)
            else:
                ids += self._piece(piece, most)
            place += 1
        return ids

    def remember(
        self,
        texts: Iterable[str],
        ids: Sequence[int],
        told: bytes,
        before: str = "",
        told_before: Sequence[bytes] = (),
    ) -> None:
        """From now on, a prompt that begins with one of the marked `texts` begins with `ids`, if it
        names the turn `told` and those before it.

        Each text ends with a control token. So does `before`, with which all begin: what the turn
        followed, of which `told_before` names the turns. That is not kept again.
        """
        span = _Span(None, array("I", ids))
        head = self.encode(before, told_before) if before else []
        if head and list(ids[: len(head)]) == head:
            span = _Span(_digest(before), array("I", ids[len(head) :]))
        made = {_digest(text): span for text in texts}
        with self._lock:
            known = [*self._turns.get(told, {}).items(), *made.items()]
            turn = dict(known[-VARIANTS:])
            if _size(turn) <= self._turns.maxsize:
                self._turns[told] = turn

    def _remembered(
        self, pieces: _Pieces, told: Iterable[bytes]
    ) -> dict[int, tuple[int, Sequence[int]]]:
        """What of `pieces` is remembered of the turns `told`, by where it begins: where it ends,
        and its ids. Where two are of the same pieces, the one that ends last."""
        with self._lock:
            turns = dict(turn for name in told for turn in self._turns.get(name, {}).items())
        if not turns:
            return {}
        places = _places(pieces)
        found: dict[int, tuple[int, Sequence[int]]] = {}
        left = len(pieces)
        ends = {places[digest]: span for digest, span in turns.items() if digest in places}
        for end in sorted(ends, reverse=True):
            start = 0 if (span := ends[end]).start is None else places.get(span.start)
            if end <= left and start is not None:
                found[start] = end, span.ids
                left = start
        return found

    def _piece(self, piece: str, most: int | None) -> Sequence[int]:
        with self._lock:
            ids = self._pieces.get(piece)
        if ids is None:
            text = self._tokenizer.control.unmark(piece)
            ids = array("I", self._tokenizer.encode(text, most=most))
            with self._lock:
                _keep(self._pieces, piece, ids)
        return ids


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode()).digest()


def _places(pieces: _Pieces) -> dict[bytes, int]:
    """How many pieces the texts have that end with a control token, by their digests."""
    digest, found = hashlib.blake2b(), {}
    for place, (piece, is_control) in enumerate(pieces, 1):
        digest.update(piece.encode())
        if is_control:
            found[digest.digest()] = place
    return found


def _size(turn: _Turn) -> int:
    return sum(len(span.ids) for span in turn.values())


def _keep(cache: LRUCache[Any, Sequence[int]], key: str, ids: Sequence[int]) -> None:
    """Store `ids` unless they alone are more than the cache holds."""
    if len(ids) <= cache.maxsize:
        cache[key] = ids

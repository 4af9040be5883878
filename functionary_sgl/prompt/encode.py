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
from typing import Any

from cachetools import LRUCache

from functionary_sgl.tokenizer import Tokenizer

PIECES_TOKENS = 4_000_000
TURNS_TOKENS = 8_000_000

VARIANTS = 8
"""Texts that may be remembered of a turn: other tools beside it, or what follows, change them."""

# Digests of rendered texts, each with its ids.
_Turn = dict[bytes, Sequence[int]]


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
        known, ids = self._known_beginning(pieces, told)
        for index, (piece, is_control) in enumerate(pieces[known:], known):
            if is_control:
                ids.append(self._tokenizer.control_ids[piece])
            elif index == 0:
                text = self._tokenizer.control.unmark(piece)
                ids += self._tokenizer.encode(text, leading=True, most=most)
            else:
                ids += self._piece(piece, most)
        return ids

    def remember(self, marked: str, ids: Sequence[int], told: bytes) -> None:
        """From now on, a prompt that begins with `marked` begins with `ids`, if it names the turn
        `told`.

        `marked` ends with a control token.
        """
        digest = hashlib.blake2b(marked.encode()).digest()
        with self._lock:
            known = [*self._turns.get(told, {}).items(), (digest, array("I", ids))]
            turn = dict(known[-VARIANTS:])
            if _size(turn) <= self._turns.maxsize:
                self._turns[told] = turn

    def _known_beginning(
        self, pieces: list[tuple[str, bool]], told: Iterable[bytes]
    ) -> tuple[int, list[int]]:
        """How many pieces the longest of the turns `told` covers, and its ids; else only the
        leading ones."""
        found = 0, list(self._leading)
        with self._lock:
            turns = dict(turn for name in told for turn in self._turns.get(name, {}).items())
        if not turns:
            return found
        digest = hashlib.blake2b()
        for index, (piece, is_control) in enumerate(pieces):
            digest.update(piece.encode())
            if is_control and (ids := turns.get(digest.digest())) is not None:
                found = index + 1, list(ids)
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


def _size(turn: _Turn) -> int:
    return sum(map(len, turn.values()))


def _keep(cache: LRUCache[Any, Sequence[int]], key: str, ids: Sequence[int]) -> None:
    """Store `ids` unless they alone are more than the cache holds."""
    if len(ids) <= cache.maxsize:
        cache[key] = ids

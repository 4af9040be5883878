"""Rendered text to token ids, with what is known already kept.

Pieces between control tokens tokenize independently, so each is kept by its text: the tools of
every request are tokenized once. And a conversation that goes on begins with the very ids that
the engine gave and has in its prefix cache, even where tokenizing the text anew would give others
(a sampled text is not always cut as a tokenizer would cut it).
"""

import hashlib
from array import array
from collections.abc import Sequence
from threading import Lock
from typing import Any

from cachetools import LRUCache

from functionary_sgl.tokenizer import Tokenizer

PIECES_TOKENS = 4_000_000
TURNS_TOKENS = 8_000_000


class PromptEncoder:
    """Thread-safe; the two caches are bounded by the size of what they hold."""

    def __init__(self, tokenizer: Tokenizer, leading: Sequence[int] = ()) -> None:
        """`leading`: ids before every prompt, such as the BOS that a tokenizer adds."""
        self._tokenizer = tokenizer
        self._leading = leading
        self._lock = Lock()
        self._pieces: LRUCache[str, Sequence[int]] = LRUCache(PIECES_TOKENS, getsizeof=len)
        self._turns: LRUCache[bytes, Sequence[int]] = LRUCache(TURNS_TOKENS, getsizeof=len)

    def encode(self, marked: str) -> list[int]:
        """The ids of a prompt, the leading ones included."""
        pieces = list(self._tokenizer.control.split(marked))
        known, ids = self._known_beginning(pieces)
        for index, (piece, is_control) in enumerate(pieces[known:], known):
            if is_control:
                ids.append(self._tokenizer.control_ids[piece])
            elif index == 0:
                ids += self._tokenizer.encode(self._tokenizer.control.unmark(piece), leading=True)
            else:
                ids += self._piece(piece)
        return ids

    def remember(self, marked: str, ids: Sequence[int]) -> None:
        """From now on, a prompt that begins with `marked` begins with `ids`.

        `marked` ends with a control token.
        """
        digest = hashlib.blake2b(marked.encode())
        with self._lock:
            _keep(self._turns, digest.digest(), ids)

    def _known_beginning(self, pieces: list[tuple[str, bool]]) -> tuple[int, list[int]]:
        """How many pieces the longest remembered turn covers, and its ids; else only the
        leading ones."""
        found = 0, list(self._leading)
        if not self._turns:
            return found
        digest = hashlib.blake2b()
        for index, (piece, is_control) in enumerate(pieces):
            digest.update(piece.encode())
            if is_control:
                with self._lock:
                    ids = self._turns.get(digest.digest())
                if ids is not None:
                    found = index + 1, list(ids)
        return found

    def _piece(self, piece: str) -> Sequence[int]:
        with self._lock:
            ids = self._pieces.get(piece)
        if ids is None:
            ids = array("I", self._tokenizer.encode(self._tokenizer.control.unmark(piece)))
            with self._lock:
                _keep(self._pieces, piece, ids)
        return ids


def _keep(cache: LRUCache[Any, Sequence[int]], key: str | bytes, ids: Sequence[int]) -> None:
    """Store `ids` unless they alone are more than the cache holds."""
    if len(ids) <= cache.maxsize:
        cache[key] = array("I", ids)

"""Texts of a script in which some control tokens are such."""

import re
from collections.abc import Iterable, Iterator, Sequence

from functionary_sgl.tokenizer import ControlTokens, Tokenizer


def unbroken(parts: Iterable[str], tokens: Sequence[str]) -> Iterator[str]:
    """`parts` of a text, those together that would cut through one of `tokens`."""
    parts = list(parts)
    inside = {
        at
        for token in tokens
        for found in re.finditer(re.escape(token), "".join(parts))
        for at in range(found.start() + 1, found.end())
    }
    held, place = "", 0
    for part in parts:
        held, place = held + part, place + len(part)
        if place not in inside:
            yield held
            held = ""


def ids_of(text: str, tokens: Sequence[str], tokenizer: Tokenizer) -> list[int]:
    """Those of `text`, of whose control tokens only those among `tokens` are such."""
    ids: list[int] = []
    for piece, is_control in ControlTokens(tokens).split(text):
        ids += tokenizer.encode_marked(piece if is_control else tokenizer.control.mark(piece))
    return ids

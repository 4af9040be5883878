"""Tokens at the two ends of a JSON value that a program asks for.

In the tokens of a model's training, the space before a value may be in one with its first bracket
(` {"`), and the bracket that ends it with what the format writes behind it (`"}}`). A model that is
to write these tokens must be asked where one begins; and a grammar that ended with the value would
bar the last, so that the model had to write something that it means less.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from functionary_sgl.tokenizer import Tokenizer

# How values end. What a token reaches into depends on what it begins with.
_ENDS = ('{"a": "b"', '{"a": "b."', '{"a": 1', '{"a": ["b"]', '{"a": [1]', '{"a": {"b": "c"}', "{")
_STRINGS = ('"b"', '"b."', '"b)"', '"b\\n"')

_MOST_CHARACTERS = 4
"""Of what follows that are looked at; tokens of brackets reach no further into letters."""


@lru_cache(maxsize=256)
def tails(
    tokenizer: Tokenizer, before: Sequence[str], *, string: bool, bracket: str = "}"
) -> tuple[str, ...]:
    """The beginnings of the texts `before` that are in one token with the end of a value which
    stands before them; `string`: of a string, else of an object that ends with `bracket`."""
    follow = {_plain(tokenizer, text)[:_MOST_CHARACTERS] for text in before}
    values = _STRINGS if string else [end + bracket for end in _ENDS]
    found = {tokenizer.joint(value, text)[1] for value in values for text in follow}
    return tuple(sorted(found - {""}))


def lead(tokenizer: Tokenizer, text: str, *, string: bool = False) -> str:
    """The spaces at the end of `text` that are in one token with the beginning of a value behind
    it; `string`: of a string, else of an object."""
    if not text.endswith(" "):
        return ""
    plain = tokenizer.control.unmark(list(tokenizer.control.split(text))[-1][0])
    held, _ = tokenizer.joint(plain, '"b' if string else '{"')
    return held if held.isspace() else ""


def common_lead(tokenizer: Tokenizer, texts: Sequence[str]) -> str:
    """The `lead` of an object that all of `texts` have; empty where one without it would be the
    beginning of another."""
    leads = {lead(tokenizer, text) for text in texts}
    held = leads.pop() if len(leads) == 1 else ""
    ordered = sorted(text.removesuffix(held) for text in texts) if held else []
    joined = any(after.startswith(text) for text, after in pairwise(ordered))
    return "" if joined else held


def _plain(tokenizer: Tokenizer, text: str) -> str:
    """`text` up to its first control token."""
    piece, is_control = next(tokenizer.control.split(text), ("", True))
    return "" if is_control else piece

"""What the last token of a JSON value may reach into.

Models write `"Rome"}}` in the tokens of their training, and there the bracket that ends the
arguments of a call may be in one token with what the format writes behind it. A grammar that ends
with the value would bar that token, and the model would have to write something that it means less.
"""

from collections.abc import Sequence
from functools import lru_cache

from functionary_sgl.tokenizer import Tokenizer

# How values end. What a token reaches into depends on what it begins with.
_ENDS = ('{"a": "b"', '{"a": "b."', '{"a": 1', '{"a": ["b"]', '{"a": [1]', '{"a": {"b": "c"}', "{")
_STRINGS = ('"b"', '"b."', '"b)"', '"b\\n"')

_MOST_CHARACTERS = 4
"""Of what follows that are looked at; tokens of brackets reach no further into letters."""


@lru_cache(maxsize=256)
def tails(tokenizer: Tokenizer, before: Sequence[str], *, string: bool) -> tuple[str, ...]:
    """The beginnings of the texts `before` that are in one token with the end of a value which
    stands before them; `string`: of a string, else of an object."""
    follow = {_plain(tokenizer, text)[:_MOST_CHARACTERS] for text in before}
    values = _STRINGS if string else [end + "}" for end in _ENDS]
    found = {tokenizer.shared(value, text) for value in values for text in follow}
    return tuple(sorted(found - {""}))


def _plain(tokenizer: Tokenizer, text: str) -> str:
    """`text` up to its first control token."""
    piece, is_control = next(tokenizer.control.split(text), ("", True))
    return "" if is_control else piece

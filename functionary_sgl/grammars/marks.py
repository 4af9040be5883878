"""What stands around the names and values of parameters.

To a model some of it may be control tokens. Such a token is an id, not text, and text that is spelt
like it is text: so in what a model writes each is a lone surrogate, which no text has.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from functionary_sgl.grammars.lark import Expression, Literal, Token
from functionary_sgl.tokenizer import Tokenizer

_FIRST = 0xD800


class Marks(NamedTuple):
    """What stands before the name of a parameter (`key`), behind it (`value`), behind its value
    (`close`) and behind all parameters (`end`). `capitals`: whether `True`, `False` and `None` are
    written beside `true`, `false` and `null`, as chat templates in Python's terms show them.
    `tokens`: control tokens with their ids, which stand in the marks as `characters`."""

    key: str
    value: str
    close: str
    end: str
    capitals: bool = False
    tokens: tuple[tuple[str, int], ...] = ()

    @property
    def texts(self) -> tuple[str, str, str, str]:
        """All four."""
        return self.key, self.value, self.close, self.end

    @property
    def characters(self) -> Mapping[int, str]:
        """What stands for each control token, by its id."""
        return {token_id: chr(_FIRST + at) for at, (_, token_id) in enumerate(self.tokens)}

    def spelled(self, text: str) -> str:
        """`text`, in which control tokens are characters, as nothing but text."""
        return text.translate({_FIRST + at: token for at, (token, _) in enumerate(self.tokens)})

    def in_tokens(self, tokenizer: Tokenizer) -> "Marks":
        """The same, which are nothing but text, with those control tokens that `tokenizer` has."""
        return _in_tokens(self, tokenizer)

    def as_text(self) -> "Marks":
        """The same as nothing but text."""
        key, value, close, end = map(self.spelled, self.texts)
        return Marks(key, value, close, end, self.capitals)

    def pieces(self, text: str) -> Iterator[Expression]:
        """What a grammar has for `text`, in which control tokens are characters."""
        ids = {ord(character): token_id for token_id, character in self.characters.items()}
        plain = ""
        for character in text:
            if ord(character) not in ids:
                plain += character
                continue
            if plain:
                yield Literal(plain)
            plain = ""
            yield Token(ids[ord(character)])
        if plain:
            yield Literal(plain)


@lru_cache(maxsize=64)
def _in_tokens(marks: Marks, tokenizer: Tokenizer) -> Marks:
    ids: dict[str, int] = {}
    found = []
    for mark in marks.texts:
        text = ""
        for piece, is_control in tokenizer.control.split(mark):
            if is_control:
                ids.setdefault(piece, tokenizer.control_ids[piece])
            text += chr(_FIRST + list(ids).index(piece)) if is_control else piece
        found.append(text)
    key, value, close, end = found
    return Marks(key, value, close, end, marks.capitals, tuple(ids.items()))

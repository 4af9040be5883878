"""Grammars as engines follow them, a byte at a time: what they take, and random texts of theirs."""

import json
import random
from collections.abc import Iterator
from typing import Any

from llguidance import LLMatcher, LLTokenizer

from functionary_sgl.grammars import grammar_text
from functionary_sgl.schemas import enforceable

BYTEWISE = LLTokenizer("byte")

_CLOSERS = b'}]",:'


def grammar(schema: Any) -> LLMatcher:
    """The grammar for values of `schema`, at its beginning; all of the schema is enforced."""
    split = enforceable({"type": "object", "properties": {"v": schema}, "required": ["v"]})
    assert split.unenforced == ()
    matcher = LLMatcher(BYTEWISE, LLMatcher.grammar_from_lark(grammar_text(split.enforced)))
    assert not matcher.is_error(), matcher.get_error()
    return matcher


def takes(matcher: LLMatcher, text: str) -> bool:
    """Whether `text` may stand for the value, with nothing changed."""
    ids = list(f'{{"v": {text}}}'.encode())
    copy = matcher.deep_copy()
    return copy.try_consume_tokens(ids) == len(ids) and bool(copy.is_accepting())


def walk(matcher: LLMatcher, dice: random.Random) -> str:
    """A text that the grammar allows; what closes something is preferred, the more the longer it
    is."""
    copy, text = matcher.deep_copy(), bytearray()
    while not copy.is_stopped():
        mask = copy.compute_bitmask()
        allowed = [byte for byte in range(256) if mask[byte // 8] >> byte % 8 & 1]
        assert allowed, f"a dead end after {bytes(text)!r}"
        closers = [byte for byte in allowed if byte in _CLOSERS]
        ends = closers and dice.random() < (0.3 if len(text) < 100 else 0.8)
        byte = dice.choice(closers if ends else allowed)
        assert copy.consume_token(byte)
        text.append(byte)
    return text.decode()


def spellings(value: str, dice: random.Random) -> Iterator[str]:
    """JSON texts of `value`: as people and programs write it, and at random."""
    yield json.dumps(value)
    yield json.dumps(value, ensure_ascii=False)
    yield json.dumps(value).replace("/", "\\/")
    yield f'"{"".join(map(_by_number, value))}"'
    yield f'"{"".join(_somehow(character, dice) for character in value)}"'


_SHORT = {'"': '"', "\\": "\\", "/": "/", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}


def _somehow(character: str, dice: random.Random) -> str:
    ways = [_by_number(character), _by_number(character).upper().replace("\\U", "\\u")]
    if character in _SHORT:
        ways.append(f"\\{_SHORT[character]}")
    if character >= " " and character not in '"\\':
        ways.append(character)
    return dice.choice(ways)


def _by_number(character: str) -> str:
    units = character.encode("utf-16-be").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))

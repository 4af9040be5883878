"""What a pattern of JSON Schema matches: inside JSON strings, in every spelling of these, and in
texts that stand as they are.

A pattern is a search in the value; here it becomes an expression for the whole text, the quotes of
a string included.
"""

from collections.abc import Callable
from collections.abc import Sequence as Parts
from functools import lru_cache, partial

from functionary_sgl.errors import InvalidSchema
from functionary_sgl.grammars import quoted
from functionary_sgl.grammars.intervals import either
from functionary_sgl.grammars.spelling import plain, spelled
from functionary_sgl.grammars.strings import CHARACTER, literal
from functionary_sgl.patterns import Variant, searched
from functionary_sgl.patterns.characters import Ranges
from functionary_sgl.patterns.tree import Characters, Choice, Node, Repeat, Sequence

_MOST = 100_000
"""Characters of an expression in which each character may be written as its number. The letters of
all scripts take 42,000."""

_Spell = Callable[[Ranges], str | None]


@lru_cache(maxsize=256)
def pattern_text(pattern: str) -> str | None:
    """A regular expression for the JSON strings in whose value `pattern` is found; None if it is
    found in none. Raises InvalidSchema where it is not understood."""
    variants = _variants(pattern)
    text = _any_of(variants, spelled, CHARACTER)
    if text is not None and len(text) > _MOST:
        text = _any_of(variants, partial(spelled, numbers=False), CHARACTER)
    return None if text is None else rf"\x22{text}\x22"


@lru_cache(maxsize=256)
def plain_pattern_text(pattern: str) -> str | None:
    """As `pattern_text`, for texts as they stand."""
    return _any_of(_variants(pattern), plain, "(?s:.)")


@lru_cache(maxsize=256)
def quoted_pattern_text(pattern: str, quote: str) -> str | None:
    """As `pattern_text`, for Python's strings between two of `quote`, between slashes."""
    spell = partial(quoted.spelled, quote=quote)
    text = _any_of(_variants(pattern), spell, quoted.character(quote))
    mark = literal(quote)
    return None if text is None else f"/{mark}{text}{mark}/"


def _variants(pattern: str) -> Parts[Variant]:
    variants = searched(pattern)
    if variants is None:
        raise InvalidSchema("A pattern is not understood.")
    return variants


def _any_of(variants: Parts[Variant], spell: _Spell, character: str) -> str | None:
    branches = []
    for node, at_start, at_end in variants:
        matches = _text(node, spell)
        if matches is not None:
            before, after = "" if at_start else f"{character}*", "" if at_end else f"{character}*"
            branches.append(f"{before}{matches}{after}")
    return either(branches) if branches else None


def _text(node: Node, spell: _Spell) -> str | None:
    """What matches `node`, as one atom of an expression or a sequence of such; None: nothing."""
    match node:
        case Characters(ranges):
            return spell(ranges)
        case Sequence(parts):
            texts = [_text(part, spell) for part in parts]
            known = [text for text in texts if text is not None]
            return "".join(known) if len(known) == len(texts) else None
        case Choice(options):
            found = (_text(option, spell) for option in options)
            branches = list(dict.fromkeys(text for text in found if text is not None))
            return either(branches) if branches else None
        case Repeat(part, least, most):
            text = _text(part, spell)
            if text is None or most == 0:
                return "" if least == 0 else None
            return f"(?:{text}){{{least},{'' if most is None else most}}}"
    raise AssertionError(node)

"""What a pattern of JSON Schema matches, inside JSON strings and in every spelling of these.

A pattern is a search in the value; here it becomes an expression for the whole text of the string,
its quotes included.
"""

from collections.abc import Sequence as Parts
from functools import lru_cache

from functionary_sgl.errors import InvalidSchema
from functionary_sgl.grammars.intervals import either
from functionary_sgl.grammars.spelling import spelled
from functionary_sgl.grammars.strings import CHARACTER
from functionary_sgl.patterns import Variant, searched
from functionary_sgl.patterns.tree import Characters, Choice, Node, Repeat, Sequence

_MOST = 100_000
"""Characters of an expression in which each character may be written as its number. The letters of
all scripts take 42,000."""


@lru_cache(maxsize=256)
def pattern_text(pattern: str) -> str | None:
    """A regular expression for the JSON strings in whose value `pattern` is found; None if it is
    found in none. Raises InvalidSchema where it is not understood."""
    variants = searched(pattern)
    if variants is None:
        raise InvalidSchema("A pattern is not understood.")
    text = _any_of(variants, numbers=True)
    return text if text is None or len(text) <= _MOST else _any_of(variants, numbers=False)


def _any_of(variants: Parts[Variant], numbers: bool) -> str | None:
    branches = []
    for node, at_start, at_end in variants:
        matches = _text(node, numbers)
        if matches is not None:
            before, after = "" if at_start else f"{CHARACTER}*", "" if at_end else f"{CHARACTER}*"
            branches.append(f"{before}{matches}{after}")
    return rf"\x22{either(branches)}\x22" if branches else None


def _text(node: Node, numbers: bool) -> str | None:
    """What matches `node`, as one atom of an expression or a sequence of such; None: nothing."""
    match node:
        case Characters(ranges):
            return spelled(ranges, numbers)
        case Sequence(parts):
            texts = [_text(part, numbers) for part in parts]
            known = [text for text in texts if text is not None]
            return "".join(known) if len(known) == len(texts) else None
        case Choice(options):
            found = (_text(option, numbers) for option in options)
            branches = list(dict.fromkeys(text for text in found if text is not None))
            return either(branches) if branches else None
        case Repeat(part, least, most):
            text = _text(part, numbers)
            if text is None or most == 0:
                return "" if least == 0 else None
            return f"(?:{text}){{{least},{'' if most is None else most}}}"
    raise AssertionError(node)

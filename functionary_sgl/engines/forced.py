"""Which parts of a text a constraint left no choice about."""

from collections.abc import Iterable, Iterator

from llguidance import LLMatcher, LLTokenizer

from functionary_sgl.engines.base import Constraint
from functionary_sgl.engines.grammar import grammar, limits

_BYTEWISE = LLTokenizer("byte")


def forced(constraint: Constraint, parts: Iterable[bytes]) -> Iterator[bool]:
    """For each of `parts`, which were written one behind the other by `constraint`, which has been
    checked: whether there was no other text that it allowed there. Ends where it has nothing to
    say any more, such as behind the end of what it describes."""
    matcher = LLMatcher(_BYTEWISE, grammar(constraint), log_level=0, limits=limits())
    for part in parts:
        only: bytes = matcher.compute_ff_bytes()
        if matcher.is_stopped() or matcher.try_consume_tokens(list(part)) < len(part):
            return
        yield bool(part) and only.startswith(part)

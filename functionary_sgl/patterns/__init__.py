"""Regular expressions: what they match, and their spelling that all engines read alike."""

from functools import lru_cache

from functionary_sgl.patterns.anchors import Variant, variants
from functionary_sgl.patterns.reading import NotUnderstood, parsed
from functionary_sgl.patterns.tree import Node
from functionary_sgl.patterns.writing import any_of, other_than, written

__all__ = ["Variant", "any_of", "other_than", "searched", "translated"]


def searched(pattern: str) -> tuple[Variant, ...] | None:
    """What is found in the texts in which `pattern` is found; None where it is not understood."""
    known = _read(pattern)
    return None if known is None else known[1]


def translated(pattern: str) -> str | None:
    """`pattern` in the spelling that all engines read alike; None where it is not understood."""
    known = _read(pattern)
    return None if known is None else written(known[0])


@lru_cache(maxsize=256)
def _read(pattern: str) -> tuple[Node, tuple[Variant, ...]] | None:
    try:
        node = parsed(pattern)
        return node, tuple(variants(node))
    except NotUnderstood:
        return None

"""Regular expressions: what they match, and their spelling that all engines read alike."""

from functools import lru_cache

from functionary_sgl.patterns.anchors import Variant, variants
from functionary_sgl.patterns.reading import NotUnderstood, parsed
from functionary_sgl.patterns.writing import any_of, other_than, written

__all__ = ["Variant", "any_of", "other_than", "searched", "translated"]


@lru_cache(maxsize=256)
def searched(pattern: str) -> tuple[Variant, ...] | None:
    """What is found in the texts in which `pattern` is found; None where it is not understood."""
    try:
        return tuple(variants(parsed(pattern)))
    except NotUnderstood:
        return None


def translated(pattern: str) -> str | None:
    """`pattern` in the spelling that all engines read alike; None where it is not understood."""
    return None if searched(pattern) is None else written(parsed(pattern))

"""Regular expressions that all engines read alike."""

from collections.abc import Collection

from functionary_sgl.patterns import classes
from functionary_sgl.patterns.classes import character
from functionary_sgl.patterns.tree import Anchor, Characters, Choice, Node, Repeat, Sequence

_MOST_OTHER = 200
"""Characters in texts that are to be left out."""

_ANY = r"[\u{0}-\u{10ffff}]"


def written(node: Node) -> str:
    """An expression for `node`."""
    match node:
        case Characters():
            return classes.written(node)
        case Anchor(at_start):
            return "^" if at_start else "$"
        case Sequence(parts):
            return "".join(_part(part) for part in parts)
        case Choice(options):
            return "|".join(map(written, options))
        case Repeat(part, least, most):
            return f"{_part(part, alone=True)}{_times(least, most)}"


def any_of(texts: Collection[str]) -> str:
    """An expression for `texts` and nothing else."""
    return f"^(?:{'|'.join(map(_literal, texts))})$"


def other_than(texts: Collection[str]) -> str | None:
    """An expression for all that is none of `texts`; None if it would be long."""
    return f"^{_other(set(texts))}$" if sum(map(len, texts)) <= _MOST_OTHER else None


def _part(node: Node, alone: bool = False) -> str:
    """`node` as a part of a sequence, or of a repetition, where it stands `alone`."""
    text = written(node)
    single = isinstance(node, Characters | Anchor)
    if isinstance(node, Choice) or (alone and not single):
        return f"(?:{text})"
    return text


def _times(least: int, most: int | None) -> str:
    signs = {(0, None): "*", (1, None): "+", (0, 1): "?"}
    if least == most:
        return f"{{{least}}}"
    return signs.get((least, most)) or f"{{{least},{'' if most is None else most}}}"


def _literal(text: str) -> str:
    return "".join(map(character, text))


def _other(texts: set[str]) -> str:
    firsts = sorted({text[0] for text in texts if text})
    parts = [f"[^{_literal(''.join(firsts))}]{_ANY}*" if firsts else f"{_ANY}+"]
    for first in firsts:
        rest = {text[1:] for text in texts if text.startswith(first)}
        parts.append(character(first) + _other(rest))
    return f"(?:{'|'.join(parts)}){'' if '' in texts else '?'}"

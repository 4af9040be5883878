"""Where in a text an expression has to match, told apart from what it matches there."""

from collections.abc import Sequence as Parts
from itertools import groupby
from typing import NamedTuple

from functionary_sgl.patterns.reading import NotUnderstood
from functionary_sgl.patterns.tree import (
    NOTHING,
    Anchor,
    Characters,
    Choice,
    Node,
    Repeat,
    Sequence,
    choice,
    sequence,
)


class Variant(NamedTuple):
    """What matches, without anchors, and whether that is at the text's start, and end."""

    node: Node
    at_start: bool = False
    at_end: bool = False


def variants(node: Node) -> list[Variant]:
    """The alternatives of `node`, no two with the same anchors. Raises NotUnderstood."""
    if not _has_anchors(node):
        return [Variant(node)]
    match node:
        case Anchor(at_start):
            return [Variant(NOTHING, at_start, not at_start)]
        case Choice(options):
            return _merged([one for option in options for one in variants(option)])
        case Sequence(parts):
            return _of_sequence(parts)
        case Repeat(part, 0, 1):
            return _merged([Variant(NOTHING), *variants(part)])
        case Repeat(part, 1, 1):
            return variants(part)
    raise NotUnderstood


def _of_sequence(parts: Parts[Node]) -> list[Variant]:
    found = [Variant(NOTHING)]
    for anchored, group in groupby(parts, _has_anchors):
        members = list(group)
        for following in map(variants, members) if anchored else [[Variant(sequence(members))]]:
            joined = (_joined(one, other) for one in found for other in following)
            found = _merged([one for one in joined if one is not None])
    return found


def _joined(one: Variant, other: Variant) -> Variant | None:
    """`one` with `other` behind it; None if that matches nothing."""
    first, second = one.node, other.node
    if other.at_start:
        if not _may_be_empty(first):
            return None
        first = NOTHING
    if one.at_end:
        if not _may_be_empty(second):
            return None
        second = NOTHING
    node = second if first == NOTHING else first if second == NOTHING else Sequence((first, second))
    return Variant(node, one.at_start or other.at_start, one.at_end or other.at_end)


def _merged(found: list[Variant]) -> list[Variant]:
    groups: dict[tuple[bool, bool], list[Node]] = {}
    for node, at_start, at_end in found:
        groups.setdefault((at_start, at_end), []).append(node)
    return [Variant(choice(nodes), *anchors) for anchors, nodes in groups.items()]


def _has_anchors(node: Node) -> bool:
    match node:
        case Sequence(parts) | Choice(parts):
            return any(map(_has_anchors, parts))
        case Repeat(part, _, _):
            return _has_anchors(part)
    return isinstance(node, Anchor)


def _may_be_empty(node: Node) -> bool:
    """Whether `node`, which has no anchors, matches the empty text."""
    match node:
        case Sequence(parts):
            return all(map(_may_be_empty, parts))
        case Choice(options):
            return any(map(_may_be_empty, options))
        case Repeat(part, least, _):
            return least == 0 or _may_be_empty(part)
    return not isinstance(node, Characters)

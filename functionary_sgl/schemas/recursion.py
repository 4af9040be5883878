"""Which references of a document lead back into themselves."""

from collections import defaultdict
from contextlib import suppress
from functools import cached_property
from typing import Any

from functionary_sgl.errors import InvalidSchema
from functionary_sgl.schemas import keywords
from functionary_sgl.schemas.pointers import escaped
from functionary_sgl.schemas.references import References


class Recursion:
    """Of the document `root`."""

    def __init__(self, root: Any, references: References) -> None:
        self._root = root
        self._references = references

    def leads_back(self, target: str, pointer: str) -> bool:
        """Whether what is at `target`, which the schema at `pointer` refers to, contains or refers
        to that schema."""
        rounds = self._rounds
        return target in rounds and rounds[target] == rounds[_enclosing(pointer, rounds)]

    @cached_property
    def _rounds(self) -> dict[str, int]:
        """By the pointer of each target, a number that those have in common which lead to one
        another. The root counts as one."""
        refs: list[tuple[str, str]] = []
        left = [("", self._root)]
        while left:
            at, node = left.pop()
            if isinstance(node, dict):
                if (ref := keywords.reference(node)) is not None:
                    with suppress(InvalidSchema):
                        refs.append((at, self._references.resolve(ref, at)[0]))
                left += [(f"{at}/{escaped(key)}", value) for key, value in node.items()]
            elif isinstance(node, list):
                left += [(f"{at}/{index}", value) for index, value in enumerate(node)]
        targets = dict.fromkeys(["", *(target for _, target in refs)], 0)
        edges: dict[str, set[str]] = defaultdict(set)
        for at, target in refs:
            edges[_enclosing(at, targets)].add(target)
        for target in targets:
            if target:
                edges[_enclosing(target.rpartition("/")[0], targets)].add(target)
        return _components(targets, edges)


def _enclosing(pointer: str, targets: dict[str, int]) -> str:
    while pointer not in targets:
        pointer = pointer.rpartition("/")[0]
    return pointer


def _components(nodes: dict[str, int], edges: dict[str, set[str]]) -> dict[str, int]:
    """By node, the number of its strongly connected component, after Kosaraju."""
    finished: dict[str, int] = {}
    for node in nodes:
        _visit(node, edges, finished, 0)
    back: dict[str, set[str]] = defaultdict(set)
    for node, targets in edges.items():
        for target in targets:
            back[target].add(node)
    found: dict[str, int] = {}
    for number, node in enumerate(reversed(finished)):
        _visit(node, back, found, number)
    return found


def _visit(start: str, edges: dict[str, set[str]], seen: dict[str, int], number: int) -> None:
    """Add to `seen` with `number` what can be reached from `start`, a node behind all below it."""
    under_way = {start}
    stack = [(start, iter(edges[start]))] if start not in seen else []
    while stack:
        node, targets = stack[-1]
        below = next((t for t in targets if t not in seen and t not in under_way), None)
        if below is None:
            stack.pop()
            seen[node] = number
        else:
            under_way.add(below)
            stack.append((below, iter(edges[below])))

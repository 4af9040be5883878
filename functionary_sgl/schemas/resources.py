"""Which names a document gives to its schemas: by `$id`, `$anchor`, and what older drafts had.

Drafts differ in what a name is. A document that does not say its draft, and that has nothing which
only one of them has, is read as each of them (`References` looks at what comes out). Names count
only where a schema stands: an `$id` or `$anchor` below `enum`, `const`, `default` or `examples`, or
as the name of a property, is none.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urljoin

from functionary_sgl.schemas import keywords
from functionary_sgl.schemas.pointers import escaped


@dataclass(frozen=True)
class Draft:
    """How a draft names schemas.

    id: the keyword whose URI moves what relative references mean.
    fragments: whether `#name` in it is an anchor.
    ref_alone: whether it counts for nothing beside a `$ref`.
    anchors: keywords that are anchors.
    """

    id: str
    fragments: bool
    ref_alone: bool
    anchors: tuple[str, ...]


_DRAFT_4 = Draft("id", True, True, ())
_DRAFT_7 = Draft("$id", True, True, ())
_DRAFT_2020 = Draft("$id", False, False, ("$anchor", "$dynamicAnchor"))

_SINCE_2019 = frozenset(
    {"$defs", "$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveAnchor", "$recursiveRef"}
)

_NAMED = (
    (re.compile(r"^https?://json-schema\.org/draft-0[34]/"), _DRAFT_4),
    (re.compile(r"^https?://json-schema\.org/draft-0[67]/"), _DRAFT_7),
    (re.compile(r"^https?://json-schema\.org/draft/20"), _DRAFT_2020),
)


@dataclass
class Resources:
    """The names in a document.

    bases: by the pointer of each schema that has a URI of its own, that URI; "" for a root
        without one.
    ids: by URI, pointers to the schemas with it.
    anchors: by the pointer of such a schema and a name, pointers to what has this anchor there.
    dynamic: by the name of each dynamic anchor, how many there are; "": `$recursiveAnchor`.
    schemas: pointers to all schemas.
    telling: their keywords by which drafts are told apart.
    """

    draft: Draft = field(compare=False)
    bases: dict[str, str] = field(default_factory=lambda: {"": ""})
    ids: dict[str, list[str]] = field(default_factory=dict)
    anchors: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    dynamic: dict[str, int] = field(default_factory=dict)
    schemas: set[str] = field(default_factory=set)
    telling: set[str] = field(default_factory=set, compare=False)

    def base(self, pointer: str) -> str:
        """The pointer of the schema with a URI that what is at `pointer` belongs to."""
        while pointer not in self.bases:
            pointer = pointer.rpartition("/")[0]
        return pointer

    def find(self, ref: str, at: str) -> list[tuple[str, str]]:
        """What `ref`, in the schema at `at`, may point at: pointers, each with the JSON pointer
        that goes on from there."""
        uri, _, fragment = ref.partition("#")
        fragment = unquote(fragment)
        starts = [self.base(at)]
        if uri:
            starts = self.ids.get(_joined(self.bases[starts[0]], uri), [])
        if not fragment or fragment.startswith("/"):
            return [(start, fragment) for start in starts]
        return [(found, "") for s in starts for found in self.anchors.get((s, fragment), [])]

    def include(self, pointer: str, schema: Any) -> None:
        """Note that `schema` stands at `pointer`, where none was expected. Its URIs say what the
        references in it mean, but nothing outside can use them."""
        if pointer not in self.schemas:
            ids = {uri: list(pointers) for uri, pointers in self.ids.items()}
            self.read(pointer, schema)
            self.ids = ids

    def read(self, pointer: str, schema: Any) -> None:
        """Note the names of `schema`, which stands at `pointer`, and of all below it."""
        left = [(pointer, schema, self.base(pointer))]
        while left:
            pointer, schema, base = left.pop()
            self.schemas.add(pointer)
            if isinstance(schema, dict):
                self.telling |= schema.keys() & {"$id", *_SINCE_2019}
                base = self._name(pointer, base, schema)
                left += [(below, value, base) for below, value in _below(pointer, schema)]

    def _name(self, pointer: str, base: str, schema: dict[str, Any]) -> str:
        """Note the names of the schema at `pointer`; the base of what is below it."""
        name = schema.get(self.draft.id)
        if isinstance(name, str) and not (self.draft.ref_alone and "$ref" in schema):
            uri, _, fragment = name.partition("#")
            if uri:
                self.bases[pointer] = _joined(self.bases[base], uri)
                self.ids.setdefault(self.bases[pointer], []).append(pointer)
                base = pointer
            if fragment and self.draft.fragments:
                self.anchors.setdefault((base, unquote(fragment)), []).append(pointer)
        for keyword in self.draft.anchors:
            if isinstance(anchor := schema.get(keyword), str):
                found = self.anchors.setdefault((base, anchor), [])
                if pointer not in found:
                    found.append(pointer)
                if keyword == "$dynamicAnchor":
                    self.dynamic[anchor] = self.dynamic.get(anchor, 0) + 1
        if schema.get("$recursiveAnchor") is True:
            self.dynamic[""] = self.dynamic.get("", 0) + 1
        return base


def readings(root: Any) -> list[Resources]:
    """The names in the document `root` by each draft that it may be written in, equal ones once."""
    name = root.get("$schema") if isinstance(root, dict) else None
    named = [draft for uri, draft in _NAMED if isinstance(name, str) and uri.match(name)]
    found = [_reading(root, (*named, _DRAFT_2020)[0])]
    if not named and not found[0].telling & _SINCE_2019:
        found += [_reading(root, draft) for draft in (_DRAFT_7, _DRAFT_4)]
        if "$id" in found[0].telling:
            found.pop()
    return [one for index, one in enumerate(found) if one not in found[:index]]


def _reading(root: Any, draft: Draft) -> Resources:
    found = Resources(draft)
    found.read("", root)
    return found


def _below(pointer: str, schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The places right below a schema where schemas stand."""
    for keyword, value in schema.items():
        at = f"{pointer}/{escaped(keyword)}"
        if keyword in keywords.MAPS_OF_SCHEMAS and isinstance(value, dict):
            yield from ((f"{at}/{escaped(name)}", member) for name, member in value.items())
        elif keyword in keywords.LISTS_OF_SCHEMAS and isinstance(value, list):
            yield from ((f"{at}/{index}", member) for index, member in enumerate(value))
        elif keyword in keywords.SCHEMAS:
            yield at, value


def _joined(base: str, uri: str) -> str:
    try:
        return urljoin(base, uri)
    except ValueError:  # no URI
        return uri

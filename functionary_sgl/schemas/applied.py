"""The other schemas that a schema applies to its own value, references followed."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from functionary_sgl.errors import InvalidSchema
from functionary_sgl.schemas import keywords
from functionary_sgl.schemas.pointers import escaped
from functionary_sgl.schemas.references import References

_MOST = 300
_MOST_TOGETHER = 20_000
"""Schemas looked at for one, and for a document: more apply to a value only where somebody tries
how many can."""


class Applied(NamedTuple):
    """A schema that is applied by another, the place where it stands, and whether a value has to
    break it, not to satisfy it."""

    schema: Any
    pointer: str
    negated: bool


def directly(schema: dict[str, Any], pointer: str) -> Iterator[tuple[str, Any, str]]:
    """Keyword, schema and place of all that stand in the one at `pointer` for its own value."""
    for keyword in schema.keys() & set(keywords.IN_PLACE):
        value, at = schema[keyword], f"{pointer}/{escaped(keyword)}"
        if keyword in keywords.LISTS_OF_SCHEMAS and isinstance(value, list):
            yield from ((keyword, one, f"{at}/{index}") for index, one in enumerate(value))
        elif keyword in keywords.MAPS_OF_SCHEMAS and isinstance(value, dict):
            for name, one in value.items():
                if not isinstance(one, list):
                    yield keyword, one, f"{at}/{escaped(name)}"
        elif keyword in keywords.SCHEMAS:
            yield keyword, value, at


class Applications:
    """What the schemas of a document apply."""

    def __init__(self, references: References) -> None:
        self._references = references
        self._left = _MOST_TOGETHER

    def of(self, schema: dict[str, Any], pointer: str) -> list[Applied] | None:
        """All that apply to a value to which the schema at `pointer` applies, without itself; None
        if they are too many. What cannot be resolved is left out: it is refused where the walk
        comes to it."""
        found: list[Applied] = []
        left = [Applied(schema, pointer, negated=False)]
        seen = {(pointer, False)}
        while left:
            if len(found) > _MOST or self._left < 0:
                return None
            one = left.pop()
            if one.schema is not schema:
                found.append(one)
                self._left -= 1
            for other in self._below(one):
                if (other.pointer, other.negated) not in seen:
                    seen.add((other.pointer, other.negated))
                    left.append(other)
        return found

    def _below(self, one: Applied) -> Iterator[Applied]:
        if not isinstance(one.schema, dict):
            return
        for keyword, schema, at in directly(one.schema, one.pointer):
            yield Applied(schema, at, one.negated ^ (keyword == "not"))
            if keyword == "if":  # may have to be broken as well
                yield Applied(schema, at, not one.negated)
        if (ref := keywords.reference(one.schema)) is not None:
            with suppress(InvalidSchema):
                at, target = self._references.resolve(ref, one.pointer)
                yield Applied(target, at, one.negated)

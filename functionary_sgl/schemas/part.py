"""One schema that is an object, and what its keywords are taken with."""

from functools import cached_property
from typing import Any

from functionary_sgl.errors import InvalidSchema
from functionary_sgl.patterns import translated
from functionary_sgl.schemas import closing, keywords
from functionary_sgl.schemas.pointers import escaped
from functionary_sgl.schemas.walk import Forms, Place, Walk


class Part:
    """The schema at `place`, a part of a document, on its way into both forms."""

    def __init__(self, walk: Walk, schema: dict[str, Any], place: Place) -> None:
        self.walk = walk
        self.schema = schema
        self.place = place
        self.enforced: dict[str, Any] = {}
        self.whole: dict[str, Any] = {}
        self._around = walk.known
        self.branches_close = place.closing and closing.closes_branches(schema)

    @cached_property
    def surroundings(self) -> closing.Surroundings:
        others = self.walk.applications.of(self.schema, self.place.pointer)
        return closing.surroundings(self.schema, others)

    @property
    def known(self) -> dict[str, Any]:
        """What is known of the value by the keywords that have been taken, and from around."""
        return keywords.both(self._around, self.whole)

    def at(self, *steps: str | int) -> str:
        return "/".join([self.place.pointer, *map(escaped, steps)])

    def lacks(self, keyword: str) -> None:
        self.walk.lacks(self.at(keyword))

    def is_refused(self, keyword: str) -> bool:
        return self.walk.is_refused(keyword, self.at(keyword))

    def keep(self, keyword: str, value: Any) -> None:
        """In both forms, unless the engine refuses it."""
        self.whole[keyword] = value
        if self.is_refused(keyword):
            self.lacks(keyword)
        else:
            self.enforced[keyword] = value

    def validate(self, keyword: str, value: Any) -> None:
        """Only in the whole."""
        self.whole[keyword] = value
        self.lacks(keyword)

    def also(self, schema: Any) -> None:
        """Enforce `schema` as well."""
        self.enforced.setdefault("allOf", []).append(schema)

    def below(self, *steps: str | int, closing: bool = False) -> Forms:
        """Both forms of what stands at `steps` and applies to a part of the value."""
        value: Any = self.schema
        for step in steps:
            value = value[step]
        return self.walk.schema(value, Place(self.at(*steps), closing and self.place.closing))

    def in_place(self, *steps: str | int, closing: bool = False) -> Forms:
        """Both forms of what stands at `steps` and applies to the same value."""
        value: Any = self.schema
        for step in steps:
            value = value[step]
        known = keywords.both(self._around, keywords.known(self.schema))
        return self.walk.schema(value, Place(self.at(*steps), closing), known)

    def expression(self, pattern: Any, *steps: str | int) -> str | None:
        """`pattern`, which stands at `steps`, as the engine writes it, unless it cannot be asked
        for that."""
        if not isinstance(pattern, str):
            raise InvalidSchema("A pattern must be a string.", param=self.at(*steps))
        expression = translated(pattern)
        if expression is None or self.walk.is_refused(str(steps[0]), self.at(*steps)):
            return None
        self.walk.note(expression, self.at(*steps))
        return expression

"""What a JSON Schema says of a value, sorted by the value's type.

A value satisfies a schema if for one of its alternatives it has the type and satisfies all of the
parts, which are schemas without keywords that apply others to the same value.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from functionary_sgl.errors import InvalidSchema

MOST_WORK = 20_000
"""Alternatives that are looked at for one grammar. Where schemas that have many are combined, their
numbers multiply."""

_DEEPEST = 150

_KEYWORDS = {
    "null": (),
    "boolean": (),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "string": ("minLength", "maxLength", "pattern"),
    "array": ("items", "prefixItems", "minItems", "maxItems"),
    "object": (
        *("properties", "required", "additionalProperties", "patternProperties"),
        *("minProperties", "maxProperties"),
    ),
}
_APPLIED = ("enum", "const", "allOf", "anyOf", "$ref")

Part = Mapping[str, Any]


class Alternative(NamedTuple):
    type: str
    parts: tuple[Part, ...] = ()


EVERYTHING = tuple(map(Alternative, _KEYWORDS))


class Alternatives:
    """Sorts schemas as `schemas.enforceable` gives them, whose references are to `definitions`."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions
        self._work = 0

    def of(self, schemas: Sequence[Any]) -> Sequence[Alternative]:
        """The alternatives for a value that satisfies all of `schemas`.

        Raises InvalidSchema where there are too many.
        """
        found: Sequence[Alternative] = EVERYTHING
        for schema in schemas:
            found = self._both(found, self._of(schema, 0))
        return found

    def _of(self, schema: Any, depth: int) -> Sequence[Alternative]:
        if isinstance(schema, bool):
            return EVERYTHING if schema else ()
        if depth > _DEEPEST:
            raise InvalidSchema("Its references make a chain that is too long.")
        found: Sequence[Alternative] | None = None
        if "properties" not in schema:  # else where they stand: it is their order
            found = _simple(schema)
        for keyword, value in schema.items():
            if keyword == "properties":
                other = _simple(schema)
            elif keyword in _APPLIED:
                other = self._applied(keyword, value, depth + 1)
            else:
                continue
            found = other if found is None else self._both(found, other)
        return EVERYTHING if found is None else found

    def _applied(self, keyword: str, value: Any, depth: int) -> Sequence[Alternative]:
        match keyword:
            case "const":
                return list(_values([value]))
            case "enum":
                return list(_values(value))
            case "$ref":
                name = value.removeprefix("#/$defs/")
                if name not in self._definitions:
                    raise InvalidSchema(f"The reference '{value}' points at nothing.")
                return self._of(self._definitions[name], depth)
            case "anyOf":
                return self._counted(
                    [found for branch in value for found in self._of(branch, depth)]
                )
        found: Sequence[Alternative] = EVERYTHING
        for branch in value:
            found = self._both(found, self._of(branch, depth))
        return found

    def _both(self, left: Sequence[Alternative], right: Sequence[Alternative]) -> Any:
        if left is EVERYTHING:
            return right
        return self._counted(
            [
                Alternative(one.type, one.parts + other.parts)
                for one in left
                for other in right
                if one.type == other.type
            ]
        )

    def _counted(self, found: list[Alternative]) -> list[Alternative]:
        self._work += len(found)
        if self._work > MOST_WORK:
            raise InvalidSchema("It combines too many alternatives.")
        return found


def _simple(schema: Part) -> Sequence[Alternative]:
    """What the keywords of `schema` that apply no others to the value say."""
    named = schema.get("type", list(_KEYWORDS))
    types = [named] if isinstance(named, str) else named
    found = []
    for type_ in types:
        part = {}
        if type_ == "integer":
            if "number" in types:
                continue
            type_, part = "number", {"type": "integer"}
        if type_ not in _KEYWORDS:
            raise InvalidSchema(f"There is no type '{type_}'.")
        part |= {key: schema[key] for key in _KEYWORDS[type_] if key in schema}
        found.append(Alternative(type_, (part,) if part else ()))
    return EVERYTHING if tuple(found) == EVERYTHING else found


def _values(values: Iterable[Any]) -> Iterable[Alternative]:
    """These values."""
    plain: dict[str, list[Any]] = {}
    for value in values:
        match value:
            case None:
                plain["null"] = []
            case bool():
                plain.setdefault("boolean", []).append(value)
            case str():
                plain.setdefault("string", []).append(value)
            case int() | float():
                plain.setdefault("number", []).append(value)
            case list():
                items = [{"const": item} for item in value]
                count = {"minItems": len(value), "maxItems": len(value)}
                yield Alternative("array", ({"prefixItems": items, **count},))
            case _:
                members = {key: {"const": member} for key, member in value.items()}
                closed = {"required": list(value), "additionalProperties": False}
                yield Alternative("object", ({"properties": members, **closed},))
    for type_, listed in plain.items():
        yield Alternative(type_, ({"enum": listed},) if listed else ())

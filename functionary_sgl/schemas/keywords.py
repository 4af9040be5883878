"""What becomes of each keyword of JSON Schema (2020-12, what drafts 4 to 7 had, OpenAPI's own).

A keyword is enforced by the grammar, or cannot be, or means nothing for validity. Whatever is in
no table here is no keyword of JSON Schema, and by its specification an annotation.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

# Enforced as they stand.
NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
COUNTS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")

# What says that other conditions hold: enforced where a grammar can tell what breaks them.
CONDITIONS = ("not", "if", "then", "else", "dependentRequired", "dependentSchemas", "dependencies")

# References that depend on where a schema is used from.
DYNAMIC_REFERENCES = ("$dynamicRef", "$recursiveRef")

# Keywords that apply other schemas to the same value.
IN_PLACE = (
    *("allOf", "anyOf", "oneOf", "not", "if", "then", "else"),
    *("dependentSchemas", "dependencies", "$ref", *DYNAMIC_REFERENCES),
)

# Where schemas stand in a schema: by name, in a list, alone. What is in neither is no schema.
MAPS_OF_SCHEMAS = (
    *("properties", "patternProperties", "dependentSchemas", "dependencies"),
    *("$defs", "definitions"),
)
LISTS_OF_SCHEMAS = ("allOf", "anyOf", "oneOf", "prefixItems", "items")
SCHEMAS = (
    *("not", "if", "then", "else", "items", "additionalItems", "contains", "unevaluatedItems"),
    *("additionalProperties", "propertyNames", "unevaluatedProperties", "contentSchema"),
)

# What is said of objects, and of arrays.
OBJECTS = (
    *("properties", "patternProperties", "additionalProperties", "unevaluatedProperties"),
    *("propertyNames", "required", "minProperties", "maxProperties", "dependentRequired"),
)
ARRAYS = (
    *("items", "prefixItems", "additionalItems", "unevaluatedItems", "contains", "uniqueItems"),
    *("minItems", "maxItems", "minContains", "maxContains"),
)

# All that means something for validity.
VALIDATED = frozenset(
    [
        *("type", "enum", "const", "format", "pattern", "multipleOf"),
        *(*NUMBERS, *COUNTS, *CONDITIONS, *OBJECTS, *ARRAYS, *IN_PLACE),
    ]
)

# What may not be enforced beside others, though it is alone.
COMBINED = ("oneOf", "minProperties", "maxProperties", "propertyNames", *CONDITIONS)

# By these an object without `properties` still takes arguments, and one with them is not closed.
OPEN = (
    *("additionalProperties", "patternProperties", "$ref", *DYNAMIC_REFERENCES),
    *("anyOf", "oneOf", "allOf", "enum", "const"),
)

TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")

# Names that people write, in lower case: Python's, Java's, JavaScript's. `None`: any value.
_ALIASES: Mapping[str, str | None] = {
    **{name: name for name in TYPES},
    **dict.fromkeys(("any", "mixed", "object|any"), None),
    **dict.fromkeys(("none", "nonetype", "nil"), "null"),
    **dict.fromkeys(("bool",), "boolean"),
    **dict.fromkeys(("int", "long", "short", "byte", "bigint", "int32", "int64"), "integer"),
    **dict.fromkeys(("float", "double", "decimal", "numeric"), "number"),
    **dict.fromkeys(("str", "char", "text"), "string"),
    **dict.fromkeys(("list", "tuple", "set", "arraylist"), "array"),
    **dict.fromkeys(("dict", "dictionary", "map", "hashmap", "record"), "object"),
}


def types(value: Any) -> list[str] | None:
    """The types that `type: value` names, None for all; ValueError for what names no type."""
    names = value if isinstance(value, list) else [value]
    if not names:
        raise ValueError("is empty")
    found: list[str] = []
    for name in names:
        if not isinstance(name, str) or name.lower() not in _ALIASES:
            raise ValueError(f"is no type of JSON Schema: {name!r}")
        type_ = _ALIASES[name.lower()]
        if type_ is None:
            return None
        if type_ not in found:
            found.append(type_)
    return found


def reference(schema: dict[str, Any]) -> str | None:
    """What `schema` refers to, if it does."""
    for keyword in ("$ref", *DYNAMIC_REFERENCES):
        if isinstance(ref := schema.get(keyword), str):
            return ref
    return None


def known(schema: Any, deeper: bool = True) -> dict[str, Any]:
    """What `schema` itself says of a value's type and values, and of its properties' if `deeper`,
    as 2020-12 says it. It need not have been checked."""
    if not isinstance(schema, dict):
        return {}
    nullable = schema.get("nullable") is True
    found: dict[str, Any] = {}
    if (values := possible(schema)) is not None:
        found["enum"] = values
    with suppress(ValueError):
        if "type" in schema and (named := types(schema["type"])) is not None:
            found["type"] = [*named, "null"] if nullable else named
    if deeper and not nullable:
        found["properties"] = {
            name: known(schema["properties"][name], False) for name in sorted(listed(schema))
        }
        found["required"] = sorted(required(schema))
    return found


def both(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """What is known of a value that is `known` to satisfy two schemas. Where both say something of
    its type or values, it is what the second says."""
    properties = dict(one.get("properties", {}))
    for name, value in other.get("properties", {}).items():
        properties[name] = properties.get(name, {}) | (value if isinstance(value, dict) else {})
    return (
        one
        | other
        | {"properties": properties, "required": sorted(required(one) | required(other))}
    )


def says_nothing(schema: Any) -> bool:
    """Whether it can be seen that `schema` admits all values."""
    if isinstance(schema, dict):
        return not VALIDATED & schema.keys()
    return schema is True


def any_name(schema: Any) -> bool:
    """Whether it can be seen that `schema` admits all strings. It need not have been checked."""
    if not isinstance(schema, dict):
        return schema is True
    said = VALIDATED & schema.keys()
    try:
        named = types(schema["type"]) if "type" in said else None
    except ValueError:
        return False
    return (named is None or "string" in named) and (
        said <= {"type"} or (said <= {"type", "minLength"} and schema["minLength"] in (0, 0.0))
    )


def disjoint(branches: Sequence[Any]) -> bool:
    """Whether it can be seen that no value satisfies two of `branches` (the `type` of those that
    are schemas, if any, being a list): by their types, their values, or a required property whose
    values tell them apart. They need not have been checked."""
    return all(
        _told_apart(type_, [b for b in branches if _admits(b, type_)])
        for type_ in TYPES
        if type_ != "integer"  # which is also a number
    )


def _admits(schema: Any, type_: str) -> bool:
    if not isinstance(schema, dict):
        return schema is not False
    names = schema.get("type", TYPES)
    return type_ in names or (type_ == "number" and "integer" in names)


def _told_apart(type_: str, branches: list[Any]) -> bool:
    if len(branches) < 2:
        return True
    if not all(isinstance(branch, dict) for branch in branches):
        return False
    if _no_value_twice([values_of(branch) for branch in branches]):
        return True
    if type_ != "object":
        return False
    names = set.intersection(*(required(branch) & listed(branch) for branch in branches))
    return any(
        _no_value_twice([values_of(branch["properties"][name]) for branch in branches])
        for name in names
    )


def required(schema: dict[str, Any]) -> set[str]:
    """The properties that an object must have; none where `required` is no list of names."""
    names = schema.get("required")
    return {n for n in names if isinstance(n, str)} if isinstance(names, list) else set()


def listed(schema: dict[str, Any]) -> set[str]:
    """The properties that an object lists; none where `properties` is no object."""
    properties = schema.get("properties")
    return set(properties) if isinstance(properties, dict) else set()


def possible(schema: Any) -> list[Any] | None:
    """The only values that `schema` admits, if it lists them."""
    if not isinstance(schema, dict) or schema.get("nullable") is True:
        return None
    if "const" in schema:
        return [schema["const"]]
    return schema["enum"] if isinstance(schema.get("enum"), list) else None


def values_of(schema: Any) -> frozenset[str] | None:
    """The only values that `schema` admits, as canonical text, if it lists them."""
    values = possible(schema)
    return None if values is None else frozenset(map(canonical, values))


def _no_value_twice(listed: list[frozenset[str] | None]) -> bool:
    known = [values for values in listed if values is not None]
    if len(known) < len(listed):
        return False
    return len(frozenset().union(*known)) == sum(map(len, known))


def canonical(value: Any) -> str:
    """Equal for values that are equal in JSON: 1 and 1.0 are, 1 and true are not."""
    if isinstance(value, dict):
        members = sorted((key, canonical(member)) for key, member in value.items())
        return "{" + ",".join(f"{key!r}:{member}" for key, member in members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, float) and value.is_integer():
        return repr(int(value))
    return repr(value)

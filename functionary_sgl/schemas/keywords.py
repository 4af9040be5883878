"""What becomes of each keyword of JSON Schema (2020-12, what drafts 4 to 7 had, OpenAPI's own).

A keyword is enforced by the grammar, or cannot be, or means nothing for validity. Whatever is in
no table here is no keyword of JSON Schema, and by its specification an annotation.
"""

from collections.abc import Mapping, Sequence
from typing import Any

# Enforced as they stand.
NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
COUNTS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")

# Not enforced by any grammar. Subschemas below these are only validated.
UNENFORCED_SUBSCHEMA = (
    "not",
    "if",
    "then",
    "else",
    "contains",
    "propertyNames",
    "unevaluatedItems",
)
UNENFORCED_SUBSCHEMAS = ("dependentSchemas",)
UNENFORCED_VALUE = ("minContains", "maxContains", "uniqueItems", "dependentRequired")

# References that depend on where a schema is used from.
DYNAMIC_REFERENCES = ("$dynamicRef", "$recursiveRef")

# Keywords that apply other schemas to the same value.
IN_PLACE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "$ref")

# By these an object without `properties` still takes arguments.
OPEN = ("additionalProperties", "patternProperties", "$ref", "anyOf", "oneOf", "allOf", "enum")

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

ENFORCED_FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uri", "uuid"}
)
# What llguidance's formats lack: it takes 29 February in all years, leap seconds at any time, and
# names of any length before an @.
_DAY_THAT_EXISTS = (
    "^(?:[0-9]{4}-(?:0[13-9]|1[0-2])|[0-9]{4}-02-(?:[01][0-9]|2[0-8])|"
    "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)"
)
_NO_LEAP_SECOND = ":[0-5][0-9](?:[.][0-9]+)?[Zz+-]"
FORMAT_PATTERNS = {
    "date": (_DAY_THAT_EXISTS,),
    "date-time": (_DAY_THAT_EXISTS, _NO_LEAP_SECOND),
    "time": (_NO_LEAP_SECOND,),
    "email": ("^[^@]{1,64}@",),
}

# Those of JSON Schema that no grammar enforces. Any other name is an annotation.
UNENFORCED_FORMATS = frozenset(
    {
        "idn-email",
        "idn-hostname",
        "iri",
        "iri-reference",
        "json-pointer",
        "regex",
        "relative-json-pointer",
        "uri-reference",
        "uri-template",
    }
)


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


def values_of(schema: Any) -> frozenset[str] | None:
    """The only values that `schema` admits, as canonical text, if it lists them."""
    if not isinstance(schema, dict):
        return None
    if "const" in schema:
        return frozenset({canonical(schema["const"])})
    if isinstance(schema.get("enum"), list):
        return frozenset(canonical(value) for value in schema["enum"])
    return None


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

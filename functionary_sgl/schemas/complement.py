"""What breaks a schema, as a schema that grammars enforce.

No grammar knows `not`. But what breaks `{"required": ["a"]}` is an object in which `a` is false,
and what breaks `{"const": "a"}`, where a or b may stand, is b. So conditions become choices.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from functionary_sgl.patterns import other_than
from functionary_sgl.schemas import keywords

_MOST_NUMBERS = 4
_EXACT = 2**53
"""Where a number of JSON is the same for everybody."""


def complement(schema: Any, beside: Any = True) -> Any | None:
    """A schema for the values that satisfy `beside` and not `schema`; it need not say again what
    `beside` says. Both as the walk has them whole. None if no grammar is known to enforce it.
    """
    if isinstance(schema, bool):
        return not schema
    known = beside if isinstance(beside, dict) else {}
    parts = []
    for keyword, value in schema.items():
        broken = _BROKEN.get(keyword)
        part = broken(keyword, value, known) if broken else None
        if part is None:
            return None
        parts.append(part)
    return any_of(parts)


def any_of(schemas: list[Any]) -> Any:
    if any(schema is True for schema in schemas):
        return True
    some = [schema for schema in schemas if schema is not False]
    return {"anyOf": some} if len(some) > 1 else (some or [False])[0]


def all_of(schemas: list[Any]) -> Any:
    if any(schema is False for schema in schemas):
        return False
    some = [schema for schema in schemas if schema is not True]
    return {"allOf": some} if len(some) > 1 else (some or [True])[0]


def choices(schema: Any) -> int:
    """Of how many schemas one is to be chosen for `schema`, which `complement` gave."""
    if not isinstance(schema, dict):
        return 1
    if "anyOf" in schema:
        return sum(choices(one) for one in schema["anyOf"])
    product = 1
    for one in schema.get("allOf", ()):
        product *= choices(one)
    for one in schema.get("properties", {}).values():
        product *= choices(one)
    return product


def _types(known: dict[str, Any]) -> set[str]:
    """The types that values may have; a number may be an integer."""
    named = known.get("type", keywords.TYPES)
    names = {named} if isinstance(named, str) else set(named)
    return names | ({"integer"} if "number" in names else set())


def _of_type(names: set[str]) -> Any:
    return {"type": sorted(names)} if names else False


def _type(_: str, value: Any, known: dict[str, Any]) -> Any | None:
    admitted, broken = _types(known), _types({"type": value})
    if "integer" in broken and "number" in admitted - broken:
        return None  # numbers that are no integers
    return _of_type(admitted - broken)


def _bound(keyword: str, value: Any, known: dict[str, Any]) -> Any | None:
    other = {"minimum": "exclusiveMaximum", "maximum": "exclusiveMinimum"}
    other |= {new: old for old, new in other.items()}
    if abs(value) > _EXACT:
        return None
    admitted = _types(known) & {"integer", "number"}
    type_ = "number" if "number" in admitted else "integer"
    return {"type": type_, other[keyword]: value} if admitted else False


def _least(type_: str, other: str) -> Callable[[str, Any, dict[str, Any]], Any]:
    def broken(_: str, value: int, known: dict[str, Any]) -> Any:
        return {"type": type_, other: value - 1} if value and type_ in _types(known) else False

    return broken


def _most(type_: str, other: str) -> Callable[[str, Any, dict[str, Any]], Any]:
    def broken(_: str, value: int, known: dict[str, Any]) -> Any:
        return {"type": type_, other: value + 1} if type_ in _types(known) else False

    return broken


def _required(_: str, names: list[str], known: dict[str, Any]) -> Any:
    if "object" not in _types(known):
        return False
    missing = [name for name in names if name not in keywords.required(known)]
    return any_of([{"type": "object", "properties": {name: False}} for name in missing])


def _properties(_: str, value: dict[str, Any], known: dict[str, Any]) -> Any | None:
    if "object" not in _types(known):
        return False
    parts = []
    for name, schema in value.items():
        broken = complement(schema, known.get("properties", {}).get(name, True))
        if broken is None:
            return None
        if broken is not False:
            parts.append({"type": "object", "properties": {name: broken}, "required": [name]})
    return any_of(parts)


def _all(_: str, schemas: list[Any], known: dict[str, Any]) -> Any | None:
    parts = [complement(schema, known) for schema in schemas]
    return None if None in parts else any_of(parts)


def _any(_: str, schemas: list[Any], known: dict[str, Any]) -> Any | None:
    parts = [complement(schema, known) for schema in schemas]
    return None if None in parts else all_of(parts)


def _const(_: str, value: Any, known: dict[str, Any]) -> Any | None:
    return _enum("enum", [value], known)


def _enum(_: str, values: list[Any], known: dict[str, Any]) -> Any | None:
    """Other values: of those that are listed beside, or else of each type that may be there."""
    broken = {keywords.canonical(value) for value in values}
    if (listed := keywords.possible(known)) is not None:
        rest = [value for value in listed if keywords.canonical(value) not in broken]
        return {"enum": rest} if rest else False
    admitted = _types(known)
    parts = [
        _other_numbers(values, admitted),
        _other_texts(values, admitted),
        _other_arrays(values, admitted),
        _other_objects(values, admitted),
        _other_booleans(values, admitted),
        _of_type(admitted & ({"null"} if None not in values else set())),
    ]
    return None if None in parts else any_of(parts)


def _other_numbers(values: list[Any], admitted: set[str]) -> Any | None:
    """Below, between and above those of `values`."""
    kinds = admitted & {"integer", "number"}
    if not kinds:
        return False
    type_ = "number" if "number" in kinds else "integer"
    numbers = sorted({v for v in values if isinstance(v, int | float) and not isinstance(v, bool)})
    if len(numbers) > _MOST_NUMBERS or any(abs(number) > _EXACT for number in numbers):
        return None
    if not numbers:
        return {"type": type_}
    parts: list[Any] = [{"type": type_, "exclusiveMaximum": numbers[0]}]
    for low, high in pairwise(numbers):
        parts.append({"type": type_, "exclusiveMinimum": low, "exclusiveMaximum": high})
    return any_of([*parts, {"type": type_, "exclusiveMinimum": numbers[-1]}])


def _other_texts(values: list[Any], admitted: set[str]) -> Any | None:
    texts = [value for value in values if isinstance(value, str)]
    if "string" not in admitted:
        return False
    if not texts:
        return {"type": "string"}
    pattern = other_than(texts)
    return None if pattern is None else {"type": "string", "pattern": pattern}


def _other_arrays(values: list[Any], admitted: set[str]) -> Any | None:
    arrays = [value for value in values if isinstance(value, list)]
    if "array" not in admitted:
        return False
    if any(arrays):
        return None
    return {"type": "array", "minItems": 1} if arrays else {"type": "array"}


def _other_objects(values: list[Any], admitted: set[str]) -> Any | None:
    if "object" not in admitted:
        return False
    return None if any(isinstance(value, dict) for value in values) else {"type": "object"}


def _other_booleans(values: list[Any], admitted: set[str]) -> Any:
    rest = [b for b in (True, False) if not any(b is value for value in values)]
    return {"enum": rest} if rest and "boolean" in admitted else False


_BROKEN: dict[str, Callable[[str, Any, dict[str, Any]], Any | None]] = {
    "type": _type,
    "const": _const,
    "enum": _enum,
    "required": _required,
    "properties": _properties,
    "allOf": _all,
    "anyOf": _any,
    **dict.fromkeys(keywords.NUMBERS, _bound),
    "minLength": _least("string", "maxLength"),
    "maxLength": _most("string", "minLength"),
    "minItems": _least("array", "maxItems"),
    "maxItems": _most("array", "minItems"),
}

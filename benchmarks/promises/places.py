"""Which schemas apply to a part of an instance: in what order its keys are written, and whether it
has a key that only the closing of objects forbids.

Schemas are in the form that `chat.schema` gives them: 2020-12, references to `#/$defs/...` only.
"""

import json
from collections.abc import Iterator
from typing import Any

# Whoever says one of these says himself which other keys an object may have.
_ABOUT_OTHERS = ("additionalProperties", "patternProperties", "unevaluatedProperties")


class Places:
    """The parts of instances of `root`."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root

    def ordered(self, value: Any) -> Any:
        """`value` with the keys of its objects in the schema's order, others behind them."""
        return self._ordered(value, self._applied([self._root]))

    def closed_out(self, value: Any) -> bool:
        """Whether an object in `value` has a key that no schema names where it lists properties
        and says nothing about others (as parameters always do)."""
        return self._closed_out(value, self._applied([self._root]), at_root=True)

    def _ordered(self, value: Any, schemas: list[dict[str, Any]]) -> Any:
        if isinstance(value, list):
            return [self._ordered(v, self._element(schemas, i)) for i, v in enumerate(value)]
        if not isinstance(value, dict):
            return value
        places = {name: place for place, name in reversed(list(enumerate(_names(schemas))))}
        keys = sorted(value, key=lambda key: places.get(key, len(places)))
        return {key: self._ordered(value[key], self._member(schemas, key)) for key in keys}

    def _closed_out(self, value: Any, schemas: list[dict[str, Any]], at_root: bool = False) -> bool:
        if isinstance(value, list):
            return any(self._closed_out(v, self._element(schemas, i)) for i, v in enumerate(value))
        if not isinstance(value, dict):
            return False
        lists = at_root or any("properties" in schema for schema in schemas)
        opened = any(key in schema for schema in schemas for key in _ABOUT_OTHERS)
        if lists and not opened and not value.keys() <= set(_names(schemas)):
            return True
        return any(self._closed_out(v, self._member(schemas, k)) for k, v in value.items())

    def _applied(self, schemas: list[Any]) -> list[dict[str, Any]]:
        """`schemas` and all that they apply to the same value, each where its properties stand."""
        found: list[dict[str, Any]] = []
        for schema in schemas:
            self._apply(schema, found, set())
        return found

    def _apply(self, schema: Any, found: list[dict[str, Any]], seen: set[str]) -> None:
        if not isinstance(schema, dict):
            return
        if "properties" not in schema:
            found.append(schema)
        for key, value in schema.items():
            if key == "properties":
                found.append(schema)
            elif key in ("allOf", "anyOf", "oneOf"):
                for part in value:
                    self._apply(part, found, seen)
            elif key in ("if", "then", "else", "not"):
                self._apply(value, found, seen)
            elif key == "dependentSchemas":
                for part in value.values():
                    self._apply(part, found, seen)
            elif key == "$ref" and value not in seen:
                seen.add(value)
                self._apply(self._root["$defs"][value.removeprefix("#/$defs/")], found, seen)

    def _member(self, schemas: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
        below = []
        for schema in schemas:
            if key in schema.get("properties", ()):
                below.append(schema["properties"][key])
            else:
                below += schema.get("patternProperties", {}).values()
                below.append(schema.get("additionalProperties"))
        return self._applied(below)

    def _element(self, schemas: list[dict[str, Any]], index: int) -> list[dict[str, Any]]:
        below = []
        for schema in schemas:
            first = schema.get("prefixItems", ())
            below.append(first[index] if index < len(first) else schema.get("items"))
            below.append(schema.get("contains"))
        return self._applied(below)


def _names(schemas: list[dict[str, Any]]) -> Iterator[str]:
    """The keys that `schemas` name, in their order."""
    for schema in schemas:
        yield from schema.get("properties", ())
    for schema in schemas:
        yield from schema.get("required", ())
        for name, needed in schema.get("dependentRequired", {}).items():
            yield from (name, *needed)
        yield from schema.get("dependentSchemas", ())


def spellings(places: Places, value: Any) -> list[str]:
    """`value` as text in the white space that models are trained on: its keys as they are, and in
    the schema's order; whole numbers as such."""
    texts = [
        json.dumps(form, ensure_ascii=False)
        for form in (places.ordered(value), value, places.ordered(plain(value)))
    ]
    return list(dict.fromkeys(texts))


def plain(value: Any) -> Any:
    """`value` with 1 for 1.0."""
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [plain(member) for member in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value

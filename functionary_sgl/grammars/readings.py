"""What the text of a parameter says: a string as it stands, or JSON of something else."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from functionary_sgl.chat.json_text import parsed
from functionary_sgl.errors import InvalidSchema
from functionary_sgl.grammars.alternatives import EVERYTHING, Alternatives, Part
from functionary_sgl.grammars.objects import member_schemas
from functionary_sgl.grammars.texts import validator

_TYPES = frozenset(one.type for one in EVERYTHING)


class Readings:
    """Those of the parameters of an object that satisfies `schema`.

    objects: for each way to satisfy it, what all of the object satisfies then.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._definitions = schema.get("$defs", {})
        self._alternatives = Alternatives(self._definitions)
        found = self._alternatives.of((schema,))
        self.objects: Sequence[Sequence[Part]] = [a.parts for a in found if a.type == "object"]
        self._known: dict[str, frozenset[str]] = {}
        self._validators: dict[str, Any] = {}

    def types(self, name: str) -> frozenset[str]:
        """The types that the value of `name` may have; all where the schema allows none."""
        if name not in self._known:
            each = (self._alternatives.of(schemas) for schemas in self._schemas(name))
            found = frozenset(one.type for alternatives in each for one in alternatives)
            self._known[name] = found or _TYPES
        return self._known[name]

    def check(self, name: str) -> None:
        """Raise InvalidSchema where it hangs on other parameters what the value of `name` says."""
        types = self.types(name)
        each = [schemas for schemas in self._schemas(name) if False not in schemas]
        if "string" in types and len(types) > 1 and any(one != each[0] for one in each):
            raise InvalidSchema(f"Whether '{name}' is a text hangs on other parameters.")

    def takes(self, name: str, text: str) -> bool:
        """Whether `text` is JSON of something else than a string that `name` may have."""
        try:
            value = parsed(text)
        except ValueError:
            return False
        if isinstance(value, str) or text != text.strip():
            return False
        if name not in self._validators:
            self._validators[name] = self._validator(name)
        return bool(self._validators[name].is_valid(value))

    def _schemas(self, name: str) -> list[list[Any]]:
        """Those of the value of `name`, for each of `objects`."""
        found = []
        for parts in self.objects:
            patterns = dict.fromkeys(p for part in parts for p in part.get("patternProperties", ()))
            found.append(list(member_schemas(parts, name, patterns)))
        return found

    def _validator(self, name: str) -> Any:
        each = [{"allOf": schemas} if schemas else True for schemas in self._schemas(name)]
        schema = {"anyOf": each or [True], "$defs": self._definitions}
        try:
            return validator(schema)
        except ValueError:  # such as for a pattern of another dialect
            types = sorted(self.types(name) - {"string"})
            return validator({"type": types})


@lru_cache(maxsize=256)
def readings(schema: str) -> Readings:
    """Those by the JSON text of a schema; by any object's where nothing can be made of it."""
    try:
        return Readings(parsed(schema))
    except InvalidSchema:
        return Readings({"type": "object"})

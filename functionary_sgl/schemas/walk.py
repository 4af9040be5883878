"""The way through a schema, and what is noted on it."""

from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from functionary_sgl.errors import InvalidSchema
from functionary_sgl.schemas import keywords
from functionary_sgl.schemas.applied import Applications
from functionary_sgl.schemas.bounds import MAX_ALTERNATIVES, MAX_SCHEMAS
from functionary_sgl.schemas.references import References


class Forms(NamedTuple):
    """A schema as it is enforced, and whole."""

    enforced: Any
    whole: Any


class Place(NamedTuple):
    """Where a schema stands, and what that makes of it.

    closing: whether objects are closed where they list their properties.
    """

    pointer: str
    closing: bool = False


NodeForms = Callable[["Walk", dict[str, Any], Place], Forms]
"""The forms of a schema that is an object."""


class Walk:
    """Goes over a document from its root; what references point at becomes a definition.

    `without` as in `enforceable`; `node` gives both forms of a schema that is an object, asking the
    walk for those below it.
    """

    def __init__(self, root: Any, without: Collection[str], node: NodeForms) -> None:
        self._node = node
        self._without = without
        self._names: dict[tuple[Place, bool], str] = {}
        self._undefined: list[tuple[str, Any, Place, bool]] = []
        self.only_validated = False
        self._schemas = 0
        self._alternatives = 1
        self.known: dict[str, Any] = {}
        self.references = References(root)
        self.applications = Applications(self.references)
        self.definitions: dict[str, Forms] = {}
        self.unenforced: list[str] = []
        self.patterns: list[tuple[str, str]] = []

    def schema(self, schema: Any, place: Place, known: dict[str, Any] | None = None) -> Forms:
        """Both forms of the schema at `place`; `known`: what the schemas around say of the same
        value (`keywords.known`)."""
        self._schemas += 1
        if self._schemas > MAX_SCHEMAS:
            raise InvalidSchema(f"The schema consists of more than {MAX_SCHEMAS} schemas.")
        if isinstance(schema, bool):
            return Forms(schema, schema)
        if not isinstance(schema, dict):
            raise InvalidSchema("A schema must be an object or a boolean.", param=place.pointer)
        self.known = known or {}
        return self._node(self, schema, place)

    def validated(self, schema: Any, pointer: str) -> Any:
        """The whole form of a schema below a keyword that is not enforced, and is told so once."""
        outer, self.only_validated = self.only_validated, True
        whole = self.schema(schema, Place(pointer)).whole
        self.only_validated = outer
        return whole

    def lacks(self, pointer: str) -> None:
        """The keyword at `pointer` is not enforced."""
        if not self.only_validated:
            self.unenforced.append(pointer)

    def is_refused(self, keyword: str, pointer: str) -> bool:
        """Whether the grammar engine has been found not to enforce this."""
        return keyword in self._without or pointer in self._without

    def note(self, pattern: str, pointer: str) -> None:
        """The engine must be asked about the regular expression `pattern`."""
        if not self.only_validated:
            self.patterns.append((pointer, pattern))

    def reference(self, ref: Any, place: Place, keyword: str) -> str:
        """The reference to the definition that `ref` becomes, which `keyword` of the schema at
        `place` has. It closes objects where the schema does that refers to it."""
        at = f"{place.pointer}/{keyword}"
        if not isinstance(ref, str):
            raise InvalidSchema("A reference must be a string.", param=at)
        try:
            pointer, target = self.references.resolve(ref, place.pointer)
        except InvalidSchema as error:
            raise InvalidSchema(error.message, param=at) from error
        return self._define(target, place._replace(pointer=pointer))

    def _define(self, schema: Any, place: Place) -> str:
        key = place, self.only_validated
        if key not in self._names:
            self._names[key] = f"d{len(self._names)}"
            self._undefined.append((self._names[key], schema, *key))
        return f"#/$defs/{self._names[key]}"

    def define(self) -> None:
        """Go over what references point at, one after the other: chains of them may be long."""
        while self._undefined:
            name, target, place, self.only_validated = self._undefined.pop()
            self.definitions[name] = self.schema(target, place)

    def alternatives(self, number: int) -> bool:
        """Whether the document may have `number` alternatives more. Where they apply to one value,
        a grammar has each with each."""
        if self.only_validated:
            return True
        if self._alternatives * number > MAX_ALTERNATIVES:
            return False
        self._alternatives *= number
        return True

    def outline(self, schema: Any, pointer: str) -> Any:
        """The schema at `pointer` with what tells it apart from others, behind its references;
        True, which admits whatever others do, where that is no schema: it will be refused, and with
        its place, where the walk comes to it."""
        try:
            for _ in range(8):
                ref = keywords.reference(schema) if isinstance(schema, dict) else None
                if ref is None:
                    break
                pointer, schema = self.references.resolve(ref, pointer)
            if not isinstance(schema, dict):
                return schema
            named = keywords.types(schema["type"]) if "type" in schema else None
        except (InvalidSchema, ValueError):
            return True
        outline = {key: value for key, value in schema.items() if key not in ("type", "nullable")}
        if schema.get("nullable") is True:
            outline = {k: v for k, v in outline.items() if k not in ("const", "enum")}
            named = None if named is None else [*named, "null"]
        return outline if named is None else {**outline, "type": named}

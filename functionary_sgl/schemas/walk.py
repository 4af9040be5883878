"""The way through a schema, and what is noted on it."""

from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from functionary_sgl.errors import InvalidSchema
from functionary_sgl.schemas import keywords
from functionary_sgl.schemas.bounds import MAX_SCHEMAS
from functionary_sgl.schemas.references import References


class Forms(NamedTuple):
    """A schema as it is enforced, and whole."""

    enforced: Any
    whole: Any


NodeForms = Callable[["Walk", dict[str, Any], str, bool], Forms]
"""The forms of an object at a pointer; the last says whether objects are closed where they list
their properties."""


class Walk:
    """Goes over a document from its root; what references point at becomes a definition.

    `without` as in `enforceable`; `node` gives both forms of a schema that is an object, asking the
    walk for those below it.
    """

    def __init__(self, root: Any, without: Collection[str], node: NodeForms) -> None:
        self._node = node
        self._references = References(root)
        self._without = without
        self._names: dict[tuple[str, bool, bool], str] = {}
        self._undefined: list[tuple[str, Any, str, bool, bool]] = []
        self._only_validated = False
        self._schemas = 0
        self.definitions: dict[str, Forms] = {}
        self.unenforced: list[str] = []
        self.patterns: list[tuple[str, str]] = []

    def schema(self, schema: Any, pointer: str, closing: bool = False) -> Forms:
        """Both forms of the schema at `pointer`; `closing`: objects are closed where they list
        their properties."""
        self._schemas += 1
        if self._schemas > MAX_SCHEMAS:
            raise InvalidSchema(f"The schema consists of more than {MAX_SCHEMAS} schemas.")
        if isinstance(schema, bool):
            return Forms(schema, schema)
        if not isinstance(schema, dict):
            raise InvalidSchema("A schema must be an object or a boolean.", param=pointer)
        return self._node(self, schema, pointer, closing)

    def validated(self, schema: Any, pointer: str) -> Any:
        """The whole form of a schema below a keyword that is not enforced, and is told so once."""
        outer, self._only_validated = self._only_validated, True
        whole = self.schema(schema, pointer).whole
        self._only_validated = outer
        return whole

    def lacks(self, pointer: str) -> None:
        """The keyword at `pointer` is not enforced."""
        if not self._only_validated:
            self.unenforced.append(pointer)

    def is_refused(self, keyword: str, pointer: str) -> bool:
        """Whether the grammar engine has been found not to enforce this."""
        return keyword in self._without or pointer in self._without

    def pattern(self, pattern: Any, pointer: str) -> str:
        """A regular expression that the grammar engine must be asked about."""
        if not isinstance(pattern, str):
            raise InvalidSchema("A pattern must be a string.", param=pointer)
        if not self._only_validated:
            self.patterns.append((pointer, pattern))
        return pattern

    def reference(self, ref: Any, pointer: str, closing: bool) -> str:
        """The reference to the definition that `ref` becomes."""
        if not isinstance(ref, str):
            raise InvalidSchema("A reference must be a string.", param=pointer)
        try:
            target_pointer, target = self._references.resolve(ref)
        except InvalidSchema as error:
            raise InvalidSchema(error.message, param=pointer) from error
        key = target_pointer, closing, self._only_validated
        if key not in self._names:
            self._names[key] = f"d{len(self._names)}"
            self._undefined.append((self._names[key], target, *key))
        return f"#/$defs/{self._names[key]}"

    def define(self) -> None:
        """Go over what references point at, one after the other: chains of them may be long."""
        while self._undefined:
            name, target, pointer, closing, self._only_validated = self._undefined.pop()
            self.definitions[name] = self.schema(target, pointer, closing)

    def outline(self, schema: Any) -> Any:
        """`schema` with what tells it apart from others, behind its references; True, which admits
        whatever others do, where that is no schema: it will be refused, and with its place, where
        the walk comes to it."""
        try:
            for _ in range(8):
                if not isinstance(schema, dict) or not isinstance(schema.get("$ref"), str):
                    break
                schema = self._references.resolve(schema["$ref"])[1]
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

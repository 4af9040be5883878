"""A client's schema in two forms: what a grammar enforces, and the whole for validation."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

from functionary_sgl.errors import InvalidSchema
from functionary_sgl.schemas import keywords
from functionary_sgl.schemas.bounds import MAX_PATTERN_PROPERTIES
from functionary_sgl.schemas.references import References, escaped
from functionary_sgl.schemas.values import checked, is_small_multiple


@dataclass(frozen=True)
class Enforceable:
    """A schema as a grammar can enforce it.

    enforced: what is enforced. Whatever satisfies `whole` satisfies this too, except that objects
        which list their properties are closed, unless the schema says otherwise.
    whole: the same values as the client's schema, in 2020-12, without annotations.
    unenforced: pointers to the client's keywords that are in `whole` and not in `enforced`.
    patterns: pointer and text of each regular expression that is enforced.
    """

    enforced: dict[str, Any]
    whole: dict[str, Any]
    unenforced: tuple[str, ...]
    patterns: tuple[tuple[str, str], ...]


class Forms(NamedTuple):
    """A schema as it is enforced, and whole."""

    enforced: Any
    whole: Any


def enforceable(schema: dict[str, Any], without: Collection[str] = ()) -> Enforceable:
    """`schema`, which is within bounds, as a grammar can enforce it.

    `without` names keywords, and pointers to keywords, that the grammar engine was found not to
    enforce. Raises InvalidSchema, `param` being a pointer, for what is no schema.
    """
    walk = _Walk(schema, without)
    forms = walk.schema(schema, "", closing=True)
    walk.define()
    enforced, whole = _as_object(forms.enforced), _as_object(forms.whole)
    if walk.definitions:
        enforced["$defs"] = {name: forms.enforced for name, forms in walk.definitions.items()}
        whole["$defs"] = {name: forms.whole for name, forms in walk.definitions.items()}
    return Enforceable(enforced, whole, tuple(dict.fromkeys(walk.unenforced)), tuple(walk.patterns))


def _as_object(schema: Any) -> dict[str, Any]:
    return dict(schema) if isinstance(schema, dict) else {"allOf": [schema]}


class _Walk:
    """Goes over a document from its root; what references point at becomes a definition."""

    def __init__(self, root: Any, without: Collection[str]) -> None:
        self._references = References(root)
        self._without = without
        self._names: dict[tuple[str, bool, bool], str] = {}
        self._undefined: list[tuple[str, Any, str, bool, bool]] = []
        self._only_validated = False
        self.definitions: dict[str, Forms] = {}
        self.unenforced: list[str] = []
        self.patterns: list[tuple[str, str]] = []

    def schema(self, schema: Any, pointer: str, closing: bool = False) -> Forms:
        """Both forms of the schema at `pointer`; `closing`: objects are closed where they list
        their properties."""
        if isinstance(schema, bool):
            return Forms(schema, schema)
        if not isinstance(schema, dict):
            raise InvalidSchema("A schema must be an object or a boolean.", param=pointer)
        return _Node(self, schema, pointer, closing).forms()

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
        """`schema` with what tells it apart from others, behind its references."""
        for _ in range(8):
            if not isinstance(schema, dict) or not isinstance(schema.get("$ref"), str):
                break
            schema = self._references.resolve(schema["$ref"])[1]
        if not isinstance(schema, dict):
            return schema
        outline = {key: value for key, value in schema.items() if key not in ("type", "nullable")}
        named = keywords.types(schema["type"]) if "type" in schema else None
        if schema.get("nullable") is True:
            outline = {k: v for k, v in outline.items() if k not in ("const", "enum")}
            named = None if named is None else [*named, "null"]
        return outline if named is None else {**outline, "type": named}


class _Node:
    """One schema that is an object. Its keywords go, in the client's order, into both forms."""

    def __init__(self, walk: _Walk, schema: dict[str, Any], pointer: str, closing: bool) -> None:
        self._walk = walk
        self._schema = schema
        self._pointer = pointer
        self._closing = closing
        self._open_below = _is_wrapper(schema)
        self._enforced: dict[str, Any] = {}
        self._whole: dict[str, Any] = {}

    def forms(self) -> Forms:
        for keyword, value in self._schema.items():
            if take := _TAKEN_BY.get(keyword):
                take(self, keyword, value)
        self._close()
        if self._schema.get("nullable") is True:
            return Forms(_nullable(self._enforced), _nullable(self._whole))
        return Forms(self._enforced, self._whole)

    def _close(self) -> None:
        lists = isinstance(self._schema.get("properties"), dict)
        if self._closing and lists and not any(key in self._schema for key in keywords.OPEN):
            self._enforced.setdefault("additionalProperties", False)

    def _at(self, *steps: str | int) -> str:
        return "/".join([self._pointer, *map(escaped, steps)])

    def _keep(self, keyword: str, value: Any) -> None:
        """In both forms, unless the engine refuses it."""
        self._whole[keyword] = value
        if self._walk.is_refused(keyword, self._at(keyword)):
            self._walk.lacks(self._at(keyword))
        else:
            self._enforced[keyword] = value

    def _validate(self, keyword: str, value: Any) -> None:
        """Only in the whole."""
        self._whole[keyword] = value
        self._walk.lacks(self._at(keyword))

    def _below(self, *steps: str | int, closing: bool = False) -> Forms:
        value: Any = self._schema
        for step in steps:
            value = value[step]
        return self._walk.schema(value, self._at(*steps), closing and self._closing)

    # How the keywords are taken.

    def type(self, keyword: str, value: Any) -> None:
        try:
            named = keywords.types(value)
        except ValueError as error:
            raise InvalidSchema(f"The type {error}.", param=self._at(keyword)) from error
        if named is not None:
            self._keep(keyword, named[0] if len(named) == 1 else named)

    def value(self, keyword: str, value: Any) -> None:
        self._keep(keyword, checked(keyword, value, self._at(keyword)))

    def number(self, keyword: str, value: Any) -> None:
        bound = keyword.removeprefix("exclusive").lower()
        if isinstance(value, bool) and keyword != bound:  # draft 4: a mark on the other keyword
            return
        value = checked(keyword, value, self._at(keyword))
        exclusive = "exclusive" + keyword.capitalize()
        if self._schema.get(exclusive) is True:
            keyword = exclusive
        self._keep(keyword, value)

    def multiple(self, keyword: str, value: Any) -> None:
        value = checked(keyword, value, self._at(keyword))
        (self._keep if is_small_multiple(value) else self._validate)(keyword, value)

    def property_count(self, keyword: str, value: Any) -> None:
        """Grammars count properties only where none of those listed may be left out; and a key
        that is not listed can come twice, which makes one."""
        value = checked(keyword, value, self._at(keyword))
        required = self._schema.get("required")
        required = set(required) if isinstance(required, list) else set()
        listed = set(self._schema.get("properties") or ())
        counted = listed <= required
        if keyword == "minProperties" and value <= len(required):
            self._whole[keyword] = value
        elif counted and (keyword == "maxProperties" or value == len(required) + 1):
            self._keep(keyword, value)
        else:
            self._validate(keyword, value)

    def required(self, keyword: str, value: Any) -> None:
        if isinstance(value, bool):  # as draft 3 marked a property; means nothing where it stands
            self._walk.lacks(self._at(keyword))
            return
        self._keep(keyword, checked(keyword, value, self._at(keyword)))

    def format(self, keyword: str, value: Any) -> None:
        value = checked(keyword, value, self._at(keyword))
        if value in keywords.ENFORCED_FORMATS:
            self._keep(keyword, value)
            if patterns := keywords.FORMAT_PATTERNS.get(value):
                more = [{"pattern": pattern} for pattern in patterns]
                self._enforced.setdefault("allOf", []).extend(more)
        elif value in keywords.UNENFORCED_FORMATS:
            self._validate(keyword, value)

    def pattern(self, keyword: str, value: Any) -> None:
        if self._walk.is_refused(keyword, self._at(keyword)):
            self._validate(keyword, value)
        else:
            self._keep(keyword, self._walk.pattern(value, self._at(keyword)))

    def properties(self, keyword: str, value: Any) -> None:
        self._map(keyword, value, closing=True)

    def pattern_properties(self, keyword: str, value: Any) -> None:
        checked(keyword, value, self._at(keyword))
        refused = [
            pattern
            for pattern in value
            if self._walk.is_refused(keyword, self._at(keyword, pattern))
        ]
        if refused or len(value) > MAX_PATTERN_PROPERTIES:
            whole = {k: self._walk.validated(v, self._at(keyword, k)) for k, v in value.items()}
            self._validate(keyword, whole)
            # Any key may be one of theirs.
            self._enforced["additionalProperties"] = True
            return
        for pattern in value:
            self._walk.pattern(pattern, self._at(keyword, pattern))
        self._map(keyword, value)

    def _map(self, keyword: str, value: Any, closing: bool = False) -> None:
        checked(keyword, value, self._at(keyword))
        forms = {key: self._below(keyword, key, closing=closing) for key in value}
        self._enforced[keyword] = {key: form.enforced for key, form in forms.items()}
        self._whole[keyword] = {key: form.whole for key, form in forms.items()}

    def additional_properties(self, keyword: str, value: Any) -> None:
        form = self._below(keyword)
        self._whole[keyword] = form.whole
        self._enforced.setdefault(keyword, form.enforced)

    def items(self, keyword: str, value: Any) -> None:
        if isinstance(value, list):  # before 2020-12
            forms = [self._below(keyword, index) for index in range(len(value))]
            keyword = "prefixItems"
            self._enforced[keyword] = [form.enforced for form in forms]
            self._whole[keyword] = [form.whole for form in forms]
        else:
            form = self._below(keyword, closing=True)
            self._enforced[keyword], self._whole[keyword] = form

    def additional_items(self, keyword: str, value: Any) -> None:
        if isinstance(self._schema.get("items"), list):
            form = self._below(keyword)
            self._enforced["items"], self._whole["items"] = form

    def branches(self, keyword: str, value: Any) -> None:
        checked(keyword, value, self._at(keyword))
        closing = self._open_below and keyword != "allOf"
        forms = [self._below(keyword, index, closing=closing) for index in range(len(value))]
        self._whole[keyword] = [form.whole for form in forms]
        if self._walk.is_refused(keyword, self._at(keyword)):
            self._walk.lacks(self._at(keyword))
            return
        enforced = [form.enforced for form in forms]
        if keyword == "oneOf":
            if not keywords.disjoint([self._walk.outline(branch) for branch in value]):
                self._walk.lacks(self._at(keyword))
            # `anyOf` is the same where no two branches overlap, and wider elsewhere.
            keyword = "anyOf"
            if keyword in self._schema:
                keyword, enforced = "allOf", [{"anyOf": enforced}]
        if keyword == "allOf":
            self._enforced.setdefault(keyword, []).extend(enforced)
        else:
            self._enforced[keyword] = enforced

    def ref(self, keyword: str, value: Any) -> None:
        alone = self._closing and self._open_below
        target = self._walk.reference(value, self._at(keyword), alone)
        self._enforced[keyword] = self._whole[keyword] = target

    def dependencies(self, keyword: str, value: Any) -> None:
        """Before 2019-09: lists of names and schemas in one keyword."""
        checked(keyword, value, self._at(keyword))
        names = {key: v for key, v in value.items() if isinstance(v, list)}
        schemas = {
            key: self._walk.validated(v, self._at(keyword, key))
            for key, v in value.items()
            if key not in names
        }
        if value:
            self._walk.lacks(self._at(keyword))
        self._whole |= {"dependentRequired": names, "dependentSchemas": schemas}

    def unevaluated_properties(self, keyword: str, value: Any) -> None:
        """Where nothing else applies to the object, these are its additional properties."""
        others = ("additionalProperties", *keywords.IN_PLACE)
        if any(other in self._schema for other in others):
            self.unenforced_schema(keyword, value)
            return
        form = self._below(keyword)
        self._whole["additionalProperties"] = form.whole
        self._enforced.setdefault("additionalProperties", form.enforced)

    def unenforced_schema(self, keyword: str, value: Any) -> None:
        if value is True or (keyword in ("then", "else") and "if" not in self._schema):
            return
        self._validate(keyword, self._walk.validated(value, self._at(keyword)))

    def unenforced_schemas(self, keyword: str, value: Any) -> None:
        checked(keyword, value, self._at(keyword))
        below = {key: self._walk.validated(v, self._at(keyword, key)) for key, v in value.items()}
        if below:
            self._validate(keyword, below)

    def unenforced_value(self, keyword: str, value: Any) -> None:
        if value is not False and value != {}:
            self._validate(keyword, checked(keyword, value, self._at(keyword)))

    def dynamic_reference(self, keyword: str, value: Any) -> None:
        raise InvalidSchema(f"'{keyword}' is not resolved; use '$ref'.", param=self._at(keyword))


def _is_wrapper(schema: dict[str, Any]) -> bool:
    """Whether `schema` only points to, or chooses among, others, so that it can close theirs."""
    applied = [key for key in schema if key in keywords.IN_PLACE]
    about_objects = ("properties", "patternProperties", "additionalProperties", "required")
    return len(applied) == 1 and not any(key in schema for key in about_objects)


def _nullable(schema: dict[str, Any]) -> Any:
    """`schema` and null. Its values may be null even where an `enum` leaves that out, since this
    is how prompts print it."""
    return {"anyOf": [schema, {"type": "null"}]} if schema else schema


_TAKEN_BY: dict[str, Callable[[_Node, str, Any], None]] = {
    "type": _Node.type,
    "multipleOf": _Node.multiple,
    "required": _Node.required,
    "format": _Node.format,
    "pattern": _Node.pattern,
    "properties": _Node.properties,
    "patternProperties": _Node.pattern_properties,
    "additionalProperties": _Node.additional_properties,
    "items": _Node.items,
    "additionalItems": _Node.additional_items,
    "prefixItems": _Node.branches,
    "$ref": _Node.ref,
    "dependencies": _Node.dependencies,
    **dict.fromkeys(("allOf", "anyOf", "oneOf"), _Node.branches),
    **dict.fromkeys(("enum", "const"), _Node.value),
    **dict.fromkeys(keywords.NUMBERS, _Node.number),
    **dict.fromkeys(keywords.COUNTS, _Node.value),
    **dict.fromkeys(("minProperties", "maxProperties"), _Node.property_count),
    **dict.fromkeys(keywords.UNENFORCED_SUBSCHEMA, _Node.unenforced_schema),
    "unevaluatedProperties": _Node.unevaluated_properties,
    **dict.fromkeys(keywords.UNENFORCED_SUBSCHEMAS, _Node.unenforced_schemas),
    **dict.fromkeys(keywords.UNENFORCED_VALUE, _Node.unenforced_value),
    **dict.fromkeys(keywords.DYNAMIC_REFERENCES, _Node.dynamic_reference),
}

"""One schema that is an object: its keywords, in both forms."""

from collections.abc import Callable
from typing import Any

from functionary_sgl.errors import InvalidSchema
from functionary_sgl.schemas import keywords
from functionary_sgl.schemas.bounds import MAX_PATTERN_PROPERTIES
from functionary_sgl.schemas.references import escaped
from functionary_sgl.schemas.values import checked, is_small_multiple
from functionary_sgl.schemas.walk import Forms, Walk


class Node:
    """The schema at `pointer`. Its keywords go, in the client's order, into both forms; `closing`:
    objects are closed where they list their properties."""

    def __init__(self, walk: Walk, schema: dict[str, Any], pointer: str, closing: bool) -> None:
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
        required = keywords.required(self._schema)
        counted = keywords.listed(self._schema) <= required
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


_TAKEN_BY: dict[str, Callable[[Node, str, Any], None]] = {
    "type": Node.type,
    "multipleOf": Node.multiple,
    "required": Node.required,
    "format": Node.format,
    "pattern": Node.pattern,
    "properties": Node.properties,
    "patternProperties": Node.pattern_properties,
    "additionalProperties": Node.additional_properties,
    "items": Node.items,
    "additionalItems": Node.additional_items,
    "prefixItems": Node.branches,
    "$ref": Node.ref,
    "dependencies": Node.dependencies,
    **dict.fromkeys(("allOf", "anyOf", "oneOf"), Node.branches),
    **dict.fromkeys(("enum", "const"), Node.value),
    **dict.fromkeys(keywords.NUMBERS, Node.number),
    **dict.fromkeys(keywords.COUNTS, Node.value),
    **dict.fromkeys(("minProperties", "maxProperties"), Node.property_count),
    **dict.fromkeys(keywords.UNENFORCED_SUBSCHEMA, Node.unenforced_schema),
    "unevaluatedProperties": Node.unevaluated_properties,
    **dict.fromkeys(keywords.UNENFORCED_SUBSCHEMAS, Node.unenforced_schemas),
    **dict.fromkeys(keywords.UNENFORCED_VALUE, Node.unenforced_value),
    **dict.fromkeys(keywords.DYNAMIC_REFERENCES, Node.dynamic_reference),
}

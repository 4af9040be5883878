"""The keywords of a schema, in both forms."""

from collections.abc import Callable
from typing import Any

from functionary_sgl.errors import InvalidSchema
from functionary_sgl.patterns import translated
from functionary_sgl.schemas import arrays, conditions, formats, keywords, objects
from functionary_sgl.schemas.bounds import MAX_PATTERN_PROPERTIES
from functionary_sgl.schemas.part import Part
from functionary_sgl.schemas.values import checked, is_small_multiple
from functionary_sgl.schemas.walk import Forms


class Node(Part):
    """A schema whose keywords go, in the client's order, into both forms; what depends on several
    of them is settled at the end."""

    def forms(self) -> Forms:
        for keyword, value in self.schema.items():
            if take := _TAKEN_BY.get(keyword):
                take(self, keyword, value)
        for settle in (arrays.settle, conditions.settle, objects.settle):
            settle(self)
        if self.schema.get("nullable") is True:
            return Forms(_nullable(self.enforced), _nullable(self.whole))
        return Forms(self.enforced, self.whole)

    # How the keywords are taken.

    def type(self, keyword: str, value: Any) -> None:
        try:
            named = keywords.types(value)
        except ValueError as error:
            raise InvalidSchema(f"The type {error}.", param=self.at(keyword)) from error
        if named is not None:
            self.keep(keyword, named[0] if len(named) == 1 else named)

    def value(self, keyword: str, value: Any) -> None:
        self.keep(keyword, checked(keyword, value, self.at(keyword)))

    def number(self, keyword: str, value: Any) -> None:
        bound = keyword.removeprefix("exclusive").lower()
        if isinstance(value, bool) and keyword != bound:  # draft 4: a mark on the other keyword
            return
        value = checked(keyword, value, self.at(keyword))
        exclusive = "exclusive" + keyword.capitalize()
        if self.schema.get(exclusive) is True:
            keyword = exclusive
        self.keep(keyword, value)

    def multiple(self, keyword: str, value: Any) -> None:
        value = checked(keyword, value, self.at(keyword))
        (self.keep if is_small_multiple(value) else self.validate)(keyword, value)

    def required(self, keyword: str, value: Any) -> None:
        if isinstance(value, bool):  # as draft 3 marked a property; means nothing where it stands
            self.lacks(keyword)
            return
        self.keep(keyword, checked(keyword, value, self.at(keyword)))

    def format(self, keyword: str, value: Any) -> None:
        value = checked(keyword, value, self.at(keyword))
        if value in formats.UNENFORCED or (value in formats.ENFORCED and self.is_refused(keyword)):
            self.validate(keyword, value)
        elif value in formats.ENFORCED:
            self.whole[keyword] = value
            for pattern in formats.ENFORCED[value]:
                self.also({"pattern": pattern})

    def pattern(self, keyword: str, value: Any) -> None:
        expression = self.expression(value, keyword)
        if expression is None:
            self.validate(keyword, value)
        else:
            self.enforced[keyword] = self.whole[keyword] = expression

    def properties(self, keyword: str, value: Any) -> None:
        checked(keyword, value, self.at(keyword))
        forms = {
            name: self.below(
                keyword, name, closing=self.place.closing and self.surroundings.closes(name)
            )
            for name in value
        }
        self.enforced[keyword] = {name: form.enforced for name, form in forms.items()}
        self.whole[keyword] = {name: form.whole for name, form in forms.items()}

    def pattern_properties(self, keyword: str, value: Any) -> None:
        checked(keyword, value, self.at(keyword))
        known = {pattern: name for pattern in value if (name := translated(pattern)) is not None}
        refused = any(self.walk.is_refused(keyword, self.at(keyword, key)) for key in value)
        all_apart = len(set(known.values())) == len(value) <= MAX_PATTERN_PROPERTIES
        if refused or not all_apart:
            whole = {k: self.walk.validated(v, self.at(keyword, k)) for k, v in value.items()}
            self.validate(keyword, whole)
            # Any key may be one of theirs.
            self.enforced["additionalProperties"] = True
            return
        for pattern, name in known.items():
            self.walk.note(name, self.at(keyword, pattern))
        forms = {name: self.below(keyword, pattern) for pattern, name in known.items()}
        self.enforced[keyword] = {name: form.enforced for name, form in forms.items()}
        self.whole[keyword] = {name: form.whole for name, form in forms.items()}

    def additional_properties(self, keyword: str, value: Any) -> None:
        form = self.below(keyword)
        self.whole[keyword] = form.whole
        self.enforced.setdefault(keyword, form.enforced)

    def items(self, keyword: str, value: Any) -> None:
        if isinstance(value, list):  # before 2020-12
            if "prefixItems" in self.schema:
                raise InvalidSchema(
                    "A list in 'items' and 'prefixItems' exclude each other.",
                    param=self.at(keyword),
                )
            forms = [self.below(keyword, index) for index in range(len(value))]
            keyword = "prefixItems"
            self.enforced[keyword] = [form.enforced for form in forms]
            self.whole[keyword] = [form.whole for form in forms]
        else:
            form = self.below(keyword, closing=self.place.closing and not self.surroundings.items)
            self.enforced[keyword], self.whole[keyword] = form

    def prefix_items(self, keyword: str, value: Any) -> None:
        checked(keyword, value, self.at(keyword))
        forms = [self.below(keyword, index) for index in range(len(value))]
        self.enforced[keyword] = [form.enforced for form in forms]
        self.whole[keyword] = [form.whole for form in forms]

    def additional_items(self, keyword: str, value: Any) -> None:
        if isinstance(self.schema.get("items"), list):
            form = self.below(keyword)
            self.enforced["items"], self.whole["items"] = form

    def branches(self, keyword: str, value: Any) -> None:
        checked(keyword, value, self.at(keyword))
        closing = self.branches_close and keyword != "allOf"
        forms = [self.in_place(keyword, index, closing=closing) for index in range(len(value))]
        self.whole[keyword] = [form.whole for form in forms]
        if keyword != "oneOf" and self.is_refused(keyword):
            self.lacks(keyword)
            return
        enforced = [form.enforced for form in forms]
        if keyword == "oneOf":
            outlines = [
                self.walk.outline(branch, self.at(keyword, index))
                for index, branch in enumerate(value)
            ]
            if not keywords.disjoint(outlines):
                apart = conditions.exactly_one(self, keyword, forms)
                if apart is None:
                    self.lacks(keyword)
                enforced = apart or enforced
            # `anyOf` is the same where no two branches overlap, and wider elsewhere.
            keyword = "anyOf"
            if keyword in self.schema:
                keyword, enforced = "allOf", [{"anyOf": enforced}]
        if keyword == "allOf":
            for one in enforced:
                self.also(one)
        else:
            self.enforced[keyword] = enforced

    def ref(self, keyword: str, value: Any) -> None:
        place = self.place._replace(closing=self.branches_close)
        self.enforced["$ref"] = self.whole["$ref"] = self.walk.reference(value, place, keyword)

    def dynamic_ref(self, keyword: str, value: Any) -> None:
        """As a `$ref` where it means the same from everywhere."""
        if "$ref" in self.schema or not self.walk.references.is_static(value):
            raise InvalidSchema(f"'{keyword}' is not resolved; use '$ref'.", param=self.at(keyword))
        self.ref(keyword, value)


def _nullable(schema: dict[str, Any]) -> Any:
    """`schema` and null. Its values may be null even where an `enum` leaves that out, since this
    is how prompts print it."""
    return {"anyOf": [schema, {"type": "null"}]} if schema else schema


# What is not here is settled at the end.
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
    "prefixItems": Node.prefix_items,
    "$ref": Node.ref,
    **dict.fromkeys(("allOf", "anyOf", "oneOf"), Node.branches),
    **dict.fromkeys(("enum", "const"), Node.value),
    **dict.fromkeys(keywords.NUMBERS, Node.number),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), Node.value),
    **dict.fromkeys(keywords.DYNAMIC_REFERENCES, Node.dynamic_ref),
}

"""Which objects are closed to properties that they do not list, and what else those may hold.

An object that lists its properties takes no others, unless the schema says otherwise. That never
makes it narrower than its other keywords need: a name that they bring in can be written.
"""

from dataclasses import dataclass, field
from typing import Any

from functionary_sgl.schemas import keywords
from functionary_sgl.schemas.applied import Applied

# What decides over properties, or items, that are not named. Not what bounds their number.
_OPENING = ("patternProperties", "propertyNames", "additionalProperties", "unevaluatedProperties")
_ITEMS = ("items", "prefixItems", "additionalItems", "unevaluatedItems", "contains")


@dataclass
class Surroundings:
    """What an object's keywords, and the schemas that apply to it beside, want of its properties.

    names: what they name.
    open: whether they may want names that nobody can list.
    described: properties whose values another schema describes too; None: any may be.
    items: whether another schema describes the items of an array, too.
    """

    names: dict[str, None] = field(default_factory=dict)
    open: bool = False
    described: set[str] | None = field(default_factory=set)
    items: bool = False

    def closes(self, name: str) -> bool:
        """Whether objects in the property `name` may be closed."""
        return self.described is not None and name not in self.described


def surroundings(schema: dict[str, Any], others: list[Applied] | None) -> Surroundings:
    """Those of an object with `schema`, to which `others` apply; None: too many to look at."""
    found = Surroundings()
    found.names = dict.fromkeys(_names(schema))
    found.items = not keywords.says_nothing(schema.get("contains", True))
    found.open = any(_opens(schema, keyword) for keyword in (*keywords.OPEN, *_OPENING))
    if "patternProperties" in schema or others is None:
        found.described = None
    if others is None:
        found.open = found.items = True
    for other in others or ():
        _add(found, other)
    least = max(_least(o.schema, o.negated) for o in (Applied(schema, "", False), *(others or ())))
    found.open |= least > len(found.names | dict.fromkeys(keywords.listed(schema)))
    return found


def closes_branches(schema: dict[str, Any]) -> bool:
    """Whether `schema` only points to, or chooses among, others, so that it can close theirs."""
    applying = [key for key in schema if key in keywords.IN_PLACE]
    others = {*keywords.OBJECTS, *keywords.ARRAYS, "enum", "const"}
    return len(applying) == 1 and not others & schema.keys()


def _add(found: Surroundings, other: Applied) -> None:
    schema = other.schema
    if not isinstance(schema, dict):
        return
    if not other.negated:  # what an object must lack can stay away
        found.names |= dict.fromkeys(_names(schema))
    found.names |= dict.fromkeys(keywords.listed(schema))
    found.open |= any(_opens(schema, keyword) for keyword in _OPENING)
    found.open |= any(isinstance(value, dict) for value in keywords.possible(schema) or ())
    found.items |= any(not keywords.says_nothing(schema.get(keyword, True)) for keyword in _ITEMS)
    if any(_opens(schema, keyword) for keyword in _OPENING):
        found.described = None
    if found.described is not None:
        properties = schema.get("properties")
        if isinstance(properties, dict):
            found.described |= {name for name, below in properties.items() if _describes(below)}


def _opens(schema: dict[str, Any], keyword: str) -> bool:
    """Whether `keyword` is there and means more names than are listed."""
    if keyword in ("additionalProperties", "unevaluatedProperties"):
        return schema.get(keyword, False) is not False
    if keyword == "propertyNames":
        return not keywords.any_name(schema.get(keyword, True))
    return keyword in schema


def _describes(schema: Any) -> bool:
    """Whether `schema` may say something of what is inside objects or arrays."""
    if not isinstance(schema, dict):
        return False
    inside = {*keywords.OBJECTS, *keywords.ARRAYS, *keywords.IN_PLACE}
    return bool(inside & schema.keys()) or any(
        isinstance(value, dict | list) for value in keywords.possible(schema) or ()
    )


def _names(schema: dict[str, Any]) -> list[str]:
    """The names in lists of names."""
    names = list(schema["required"]) if isinstance(schema.get("required"), list) else []
    for keyword in ("dependentRequired", "dependentSchemas", "dependencies"):
        if isinstance(dependent := schema.get(keyword), dict):
            names += dependent
            for value in dependent.values():
                names += value if isinstance(value, list) else ()
    return [name for name in names if isinstance(name, str)]


def _least(schema: Any, negated: bool) -> float:
    """How many properties an object needs, to have enough or, behind a `not`, too many."""
    count = None
    if isinstance(schema, dict):
        count = schema.get("maxProperties" if negated else "minProperties")
    return count + negated if isinstance(count, int | float) else 0

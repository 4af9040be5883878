"""What is settled of arrays when all their keywords have been taken."""

from typing import Any

from functionary_sgl.schemas import keywords
from functionary_sgl.schemas.part import Part
from functionary_sgl.schemas.values import checked


def settle(part: Part) -> None:
    if "contains" in part.schema:
        _contains(part)
    if "uniqueItems" in part.schema:
        _unique(part)
    if "unevaluatedItems" in part.schema:
        _unevaluated(part)


def _contains(part: Part) -> None:
    """How many items satisfy a schema: the number of all items where that admits everything."""
    value = part.schema["contains"]
    counts: dict[str, Any] = {
        keyword: checked(keyword, part.schema[keyword], part.at(keyword))
        for keyword in ("minContains", "maxContains")
        if keyword in part.schema
    }
    whole = part.walk.validated(value, part.at("contains"))
    least, most = counts.get("minContains", 1), counts.get("maxContains")
    part.whole |= {"contains": whole, **counts}
    if least == 0 and most is None:
        return
    if keywords.says_nothing(value):
        _at_least(part.enforced, least)
        if most is not None:
            part.enforced["maxItems"] = min(most, part.enforced.get("maxItems", most))
        return
    for keyword in ("contains", *counts):
        part.lacks(keyword)


def _at_least(enforced: dict[str, Any], count: int) -> None:
    enforced["minItems"] = max(count, enforced.get("minItems", 0))


def _unique(part: Part) -> None:
    value = checked("uniqueItems", part.schema["uniqueItems"], part.at("uniqueItems"))
    if value:
        part.whole["uniqueItems"] = True
        if part.enforced.get("maxItems", 2) > 1:
            part.lacks("uniqueItems")


def _unevaluated(part: Part) -> None:
    """Where nothing else applies to the items, these are those that are not listed."""
    schema, at = part.schema, part.at("unevaluatedItems")
    items = schema.get("items")
    all_evaluated = isinstance(items, dict | bool) or (items and "additionalItems" in schema)
    if all_evaluated or keywords.says_nothing(schema["unevaluatedItems"]):
        part.whole["unevaluatedItems"] = part.walk.validated(schema["unevaluatedItems"], at)
    elif schema.keys() & {"contains", *keywords.IN_PLACE}:
        part.validate("unevaluatedItems", part.walk.validated(schema["unevaluatedItems"], at))
    else:
        part.enforced["items"], part.whole["items"] = part.below("unevaluatedItems")

"""What is settled of objects when all their keywords have been taken: names, and how many."""

from typing import Any

from functionary_sgl.patterns import any_of
from functionary_sgl.schemas import keywords
from functionary_sgl.schemas.part import Part
from functionary_sgl.schemas.values import checked

_LONGEST_NAME = 1_000
"""That a grammar counts the characters of."""


def settle(part: Part) -> None:
    if "unevaluatedProperties" in part.schema:
        _unevaluated(part)
    if "propertyNames" in part.schema:
        _names(part)
    _close(part)
    _count(part)


def _unevaluated(part: Part) -> None:
    """Where nothing else applies to the object, these are its additional properties."""
    value, at = part.schema["unevaluatedProperties"], part.at("unevaluatedProperties")
    if "additionalProperties" in part.schema or keywords.says_nothing(value):
        part.whole["unevaluatedProperties"] = part.walk.validated(value, at)
    elif part.schema.keys() & set(keywords.IN_PLACE):
        part.validate("unevaluatedProperties", part.walk.validated(value, at))
    else:
        form = part.below("unevaluatedProperties")
        part.whole["additionalProperties"] = form.whole
        part.enforced.setdefault("additionalProperties", form.enforced)


def _names(part: Part) -> None:
    value = part.schema["propertyNames"]
    whole = part.walk.validated(value, part.at("propertyNames"))
    if keywords.any_name(value):
        return
    part.whole["propertyNames"] = whole
    if part.is_refused("propertyNames") or not _narrow(part, whole):
        part.lacks("propertyNames")


def _narrow(part: Part, names: Any) -> bool:
    """Enforce that properties have `names`, if it can be done: by listing them, or as a pattern."""
    enforced, only = part.enforced, {"additionalProperties": False}
    listed = enforced.get("properties", {})
    if names is False:
        enforced.pop("patternProperties", None)
        enforced |= {"properties": dict.fromkeys(listed, False), **only}
        return True
    said = names.keys() - {"type"}
    if "patternProperties" in enforced or (names.get("type", "string") != "string" and said):
        return False
    rest = enforced.get("additionalProperties", True)
    if (values := keywords.possible(names)) is not None and len(said) == 1:
        wanted = [value for value in values if isinstance(value, str)]
        if not listed and part.schema.keys() & {"minProperties", "maxProperties"}:
            enforced |= {"patternProperties": {any_of(wanted): rest}, **only}  # can be counted
            return True
        properties = {name: name in wanted and schema for name, schema in listed.items()}
        enforced |= {"properties": dict.fromkeys(wanted, rest) | properties, **only}
        return True
    pattern = _pattern(part, names, said)
    if pattern is None or listed:
        return False
    enforced |= {"patternProperties": {pattern: rest}, **only}
    return True


def _pattern(part: Part, names: dict[str, Any], said: set[str]) -> str | None:
    """The expression for `names`, as the engine writes it."""
    if said == {"pattern"}:
        return part.expression(names["pattern"], "propertyNames")
    least, most = names.get("minLength", 0), names.get("maxLength")
    if said and said <= {"minLength", "maxLength"} and max(least, most or 0) <= _LONGEST_NAME:
        return f"^[\\u{{0}}-\\u{{10ffff}}]{{{least},{'' if most is None else most}}}$"
    return None


def _close(part: Part) -> None:
    """An object that lists its properties has no others than those and what it needs."""
    enforced = part.enforced
    if not part.place.closing or "properties" not in enforced or part.surroundings.open:
        return
    if "additionalProperties" not in enforced:
        enforced["properties"] |= {
            name: True for name in part.surroundings.names if name not in enforced["properties"]
        }
        enforced["additionalProperties"] = False


def _count(part: Part) -> None:
    """Grammars count properties only where none of those listed may be left out, or to one; and a
    key that is not listed can come twice, which makes one."""
    counts = {
        keyword: checked(keyword, part.schema[keyword], part.at(keyword))
        for keyword in part.schema
        if keyword in ("minProperties", "maxProperties")
    }
    part.whole |= counts
    enforced = part.enforced
    required, listed = set(enforced.get("required", ())), set(enforced.get("properties", ()))
    closed = enforced.get("additionalProperties") is False and "patternProperties" not in enforced
    alone = not enforced.keys() & {"allOf", "anyOf", "$ref"}
    for keyword, value in counts.items():
        if keyword == "minProperties" and value <= len(required):
            continue
        if keyword == "maxProperties" and closed and value >= len(listed):
            continue
        if listed <= required:
            known = keyword == "maxProperties" or value == len(required) + 1
        else:
            known = closed and value == 1 and keyword == "minProperties"
        (part.keep if alone and known else part.validate)(keyword, value)

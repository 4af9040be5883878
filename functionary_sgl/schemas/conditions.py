"""Keywords that say what holds if something else does: `not`, `if`, and what depends on a property.

No grammar knows them. Where it is known what breaks the condition (`complement`), they are a
choice: `if P then T` is anything that breaks P, or T.
"""

from collections.abc import Callable
from typing import Any

from functionary_sgl.schemas import keywords
from functionary_sgl.schemas.complement import all_of, any_of, choices, complement
from functionary_sgl.schemas.part import Part
from functionary_sgl.schemas.values import checked
from functionary_sgl.schemas.walk import Forms


def settle(part: Part) -> None:
    """Take the conditions of `part`, whose other keywords have been taken."""
    for keyword in part.schema:
        if take := _TAKEN_BY.get(keyword):
            take(part, keyword)
        elif keyword in ("then", "else") and "if" not in part.schema:  # means nothing
            part.walk.validated(part.schema[keyword], part.at(keyword))


def exactly_one(part: Part, keyword: str, forms: list[Forms]) -> list[Any] | None:
    """What is enforced where just one of `forms` holds, as alternatives, if that can be."""
    broken = [complement(form.whole, part.known) for form in forms]
    number = sum(choices(all_of(broken[:i] + broken[i + 1 :])) for i in range(len(broken)))
    if None in broken or part.is_refused(keyword) or not part.walk.alternatives(number):
        return None
    return [
        all_of([form.enforced, *broken[:index], *broken[index + 1 :]])
        for index, form in enumerate(forms)
    ]


def _enforces(part: Part, keyword: str, condition: Any | None) -> bool:
    """Whether `keyword` can be enforced as a choice between `condition` and something else."""
    if condition is None or part.is_refused(keyword):
        return False
    return isinstance(condition, bool) or part.walk.alternatives(1 + choices(condition))


def _not(part: Part, keyword: str) -> None:
    if part.schema[keyword] is False:
        return
    part.whole[keyword] = part.walk.validated(part.schema[keyword], part.at(keyword))
    broken = complement(part.whole[keyword], part.known)
    if broken is None or part.is_refused(keyword) or not part.walk.alternatives(choices(broken)):
        part.lacks(keyword)
    elif broken is not True:
        part.also(broken)


def _if(part: Part, keyword: str) -> None:
    condition = part.whole[keyword] = part.walk.validated(part.schema[keyword], part.at(keyword))
    broken = complement(condition, part.known)
    met = _met(condition, broken)
    branches = {"then": broken, "else": met}
    said = [name for name in branches if not keywords.says_nothing(part.schema.get(name, True))]
    told = [name for name in said if not _enforces(part, keyword, branches[name])]
    if told:
        part.lacks(keyword)
    for name in said:
        if name in told:
            part.whole[name] = part.walk.validated(part.schema[name], part.at(name))
            part.lacks(name)
        else:
            form = part.in_place(name)
            part.whole[name] = form.whole
            _either(part, branches[name], form.enforced)


def _met(condition: Any, broken: Any | None) -> Any | None:
    """`condition` as a grammar enforces it, if it does."""
    if isinstance(broken, bool):
        return not broken
    return None if broken is None or _has_not(condition) else condition


def _has_not(schema: Any) -> bool:
    if not isinstance(schema, dict):
        return False
    below = [*schema.get("properties", {}).values(), *schema.get("allOf", ())]
    return "not" in schema or any(map(_has_not, [*below, *schema.get("anyOf", ())]))


def _either(part: Part, condition: Any, enforced: Any) -> None:
    choice = any_of([condition, enforced])
    if choice is not True:
        part.also(choice)


def _dependent_required(part: Part, keyword: str) -> None:
    value = checked(keyword, part.schema[keyword], part.at(keyword))
    lists = {n: checked("required", names, part.at(keyword, n)) for n, names in value.items()}
    part.whole[keyword] = lists
    _require(part, keyword, lists)


def _require(part: Part, keyword: str, lists: dict[str, list[str]]) -> None:
    required = keywords.required(part.schema)
    for name, names in lists.items():
        missing = [other for other in names if other not in required | {name}]
        if not missing:
            continue
        absent = name not in required and {"properties": {name: False}}
        if not _enforces(part, keyword, absent):
            part.lacks(keyword)
            return
        _either(part, absent, {"required": missing})


def _dependent_schemas(part: Part, keyword: str) -> None:
    value = checked(keyword, part.schema[keyword], part.at(keyword))
    part.whole[keyword] = _apply(part, keyword, list(value))


def _apply(part: Part, keyword: str, names: list[str]) -> dict[str, Any]:
    """The schemas that `keyword` has for `names`, whole."""
    required, whole = keywords.required(part.schema), {}
    for name in names:
        schema = part.schema[keyword][name]
        absent = name not in required and {"properties": {name: False}}
        if keywords.says_nothing(schema):
            whole[name] = schema
        elif _enforces(part, keyword, absent):
            form = part.in_place(keyword, name)
            whole[name] = form.whole
            _either(part, absent, form.enforced)
        else:
            whole[name] = part.walk.validated(schema, part.at(keyword, name))
            part.lacks(keyword)
    return whole


def _dependencies(part: Part, keyword: str) -> None:
    """Before 2019-09: lists of names and schemas in one keyword."""
    value = checked(keyword, part.schema[keyword], part.at(keyword))
    lists = {
        name: checked("required", names, part.at(keyword, name))
        for name, names in value.items()
        if isinstance(names, list)
    }
    _require(part, keyword, lists)
    schemas = _apply(part, keyword, [name for name in value if name not in lists])
    both = {"dependentRequired": lists, "dependentSchemas": schemas}
    part.whole.setdefault("allOf", []).append({k: v for k, v in both.items() if v})


_TAKEN_BY: dict[str, Callable[[Part, str], None]] = {
    "not": _not,
    "if": _if,
    "dependentRequired": _dependent_required,
    "dependentSchemas": _dependent_schemas,
    "dependencies": _dependencies,
}

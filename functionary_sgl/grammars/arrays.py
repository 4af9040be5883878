"""Arrays of a JSON Schema."""

from collections.abc import Callable, Sequence
from typing import Any

from functionary_sgl.grammars.alternatives import Part
from functionary_sgl.grammars.lark import Expression, Literal, Repeat, optional, sequence

COMMA = Literal(", ")

MOST_COUNTED = 10_000_000
"""Characters, items or properties; more fit into no context."""


def array(
    parts: Sequence[Part],
    value: Callable[[tuple[Any, ...]], Expression],
    rule: Callable[[Expression], Expression],
) -> Expression:
    """The arrays that satisfy all `parts`; `value` gives what satisfies schemas, and `rule` a rule
    for an expression."""
    least, most = counts(parts, "minItems", "maxItems")
    prefix = max((len(part.get("prefixItems", ())) for part in parts), default=0)
    if most is not None:
        prefix = min(prefix, most)

    def item(index: int) -> Expression:
        return value(tuple(_item(part, index) for part in parts))

    rest = _more(item(prefix), prefix, least, most)
    for index in reversed(range(prefix)):
        rest = sequence(*[COMMA] * (index > 0), item(index), rest)
        if index >= least:
            rest = rule(optional(rest))
    return sequence(Literal("["), rest, Literal("]"))


def counts(parts: Sequence[Part], minimum: str, maximum: str) -> tuple[int, int | None]:
    """The least and the most that the keywords `minimum` and `maximum` of all `parts` allow; None
    where no text in any context has too many."""
    least = max((part.get(minimum, 0) for part in parts), default=0)
    most = min((part[maximum] for part in parts if maximum in part), default=MOST_COUNTED)
    return least, most if most < MOST_COUNTED else None


def _more(item: Expression, before: int, least: int, most: int | None) -> Expression:
    """The items behind the first `before`."""
    least = max(least - before, 0)
    if most is not None:
        most = max(most - before, 0)
    if before:
        return Repeat(sequence(COMMA, item), least, most)
    if most == 0:
        return Repeat(item, 0, 0)
    following = Repeat(sequence(COMMA, item), max(least - 1, 0), None if most is None else most - 1)
    some = sequence(item, following)
    return some if least else optional(some)


def _item(part: Part, index: int) -> Any:
    prefix = part.get("prefixItems", ())
    return prefix[index] if index < len(prefix) else part.get("items", True)

"""Objects of a JSON Schema: the properties that are listed, in their order, and then any others."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations
from typing import Any, NamedTuple, Protocol

from functionary_sgl.errors import InvalidSchema
from functionary_sgl.grammars.alternatives import Part
from functionary_sgl.grammars.arrays import COMMA, counts
from functionary_sgl.grammars.lark import (
    NEVER,
    NOTHING,
    Choice,
    Expression,
    Literal,
    Repeat,
    optional,
    sequence,
)
from functionary_sgl.grammars.texts import found_in
from functionary_sgl.schemas.bounds import MAX_PATTERN_PROPERTIES

COLON = Literal(": ")

Value = Callable[[tuple[Any, ...]], Expression]


class Keys(Protocol):
    """How keys are written."""

    def key(self, name: str) -> Expression:
        """The key `name`, which is listed."""

    def other_key(
        self, names: Sequence[str], patterns: Sequence[str], barred: Sequence[str]
    ) -> Expression:
        """A key that is none of `names`, and that all `patterns` match and none of `barred`."""


class _Member(NamedTuple):
    expression: Expression
    required: bool


def object_(
    parts: Sequence[Part], value: Value, rule: Callable[[Expression], Expression], keys: Keys
) -> Expression:
    """The objects that satisfy all `parts`; `value` and `rule` as for arrays.

    Raises InvalidSchema for what is not enforced.
    """
    body = members_of(parts, value, rule, keys, COLON)
    return sequence(Literal("{"), body, Literal("}"))


def members_of(
    parts: Sequence[Part],
    value: Value,
    rule: Callable[[Expression], Expression],
    keys: Keys,
    colon: Expression,
) -> Expression:
    """What stands between the brackets of such objects, with `colon` behind a key."""
    names = names_of(parts)
    required = {name for part in parts for name in part.get("required", ())}
    patterns = patterns_of(parts)

    def of_name(name: str) -> Expression:
        return value(member_schemas(parts, name, patterns))

    members = [
        _Member(sequence(keys.key(name), colon, of_name(name)), name in required) for name in names
    ]
    others = Choice(tuple(_others(parts, names, patterns, value, keys, colon)))
    least, most = counts(parts, "minProperties", "maxProperties")
    return _Body(members, others, least - len(required), most, rule).expression()


def names_of(parts: Sequence[Part]) -> list[str]:
    """Those that are listed, in their order, and behind them those that are only required."""
    listed = [name for part in parts for name in part.get("properties", ())]
    required = [name for part in parts for name in part.get("required", ())]
    return list(dict.fromkeys(listed + required))


def patterns_of(parts: Sequence[Part]) -> list[str]:
    """Those of keys, each once. Raises InvalidSchema where they are too many."""
    patterns = list(dict.fromkeys(p for part in parts for p in part.get("patternProperties", ())))
    if len(patterns) > MAX_PATTERN_PROPERTIES:
        raise InvalidSchema(f"More than {MAX_PATTERN_PROPERTIES} patterns apply to one's keys.")
    return patterns


def member_schemas(parts: Sequence[Part], name: str, patterns: Iterable[str]) -> tuple[Any, ...]:
    """The schemas of all `parts`, whose keys have these `patterns`, for the value of `name`."""
    found = [pattern for pattern in patterns if found_in(pattern, name)]
    return tuple(schema for part in parts for schema in schemas_for(part, name, found))


def schemas_for(part: Part, name: str | None, patterns: Sequence[str]) -> Iterator[Any]:
    """The schemas of `part` for the value of a key that is listed as `name`, if it is, and that of
    all its patterns `patterns` match."""
    listed = part.get("properties", {})
    own = part.get("patternProperties", {})
    found = [listed[name]] if name in listed else []
    found += [own[pattern] for pattern in patterns if pattern in own]
    yield from found or [part.get("additionalProperties", True)]


def _others(
    parts: Sequence[Part],
    names: Sequence[str],
    patterns: Sequence[str],
    value: Value,
    keys: Keys,
    colon: Expression,
) -> Iterator[Expression]:
    """Keys that are not among `names`, with their values, for each combination of patterns."""
    for count in range(len(patterns) + 1):
        for found in combinations(patterns, count):
            schemas = tuple(schema for part in parts for schema in schemas_for(part, None, found))
            if False not in schemas:
                barred = [pattern for pattern in patterns if pattern not in found]
                key = keys.other_key(names, found, barred)
                yield sequence(key, colon, value(schemas))


class _Body:
    """What stands between the braces: `members`, and `others` of which there are at least `least`
    and, with the required members, at most `most`."""

    def __init__(
        self,
        members: Sequence[_Member],
        others: Choice,
        least: int,
        most: int | None,
        rule: Callable[[Expression], Expression],
    ) -> None:
        self._members = members
        self._rule = rule
        self._pair: Expression = rule(others) if others.options else NEVER
        required = sum(member.required for member in members)
        if required < len(members) and (least > 1 or most is not None):
            raise InvalidSchema("Properties that may be left out are not counted.")
        self._least = max(least, 0)
        self._most = None if most is None else max(most - required, -1)

    def expression(self) -> Expression:
        if self._most == -1:
            return NEVER
        first = next((i for i, member in enumerate(self._members) if member.required), None)
        if first is None:
            return self._without_required()
        if self._least and not all(member.required for member in self._members):
            raise InvalidSchema("Properties that may be left out are not counted.")
        before = [optional(sequence(m.expression, COMMA)) for m in self._members[:first]]
        return sequence(*before, self._members[first].expression, self._behind(first + 1))

    def _behind(self, index: int) -> Expression:
        """What may come behind another member, from the one at `index` on."""
        found = [sequence(COMMA, member.expression) for member in self._members[index:]]
        following = [
            part if member.required else optional(part)
            for part, member in zip(found, self._members[index:], strict=True)
        ]
        return sequence(*following, Repeat(sequence(COMMA, self._pair), self._least, self._most))

    def _without_required(self) -> Expression:
        """Any of the members, of which none is required, or none of them."""
        most = None if self._most is None else self._most - 1
        if self._most == 0:
            return NOTHING
        more = Repeat(sequence(COMMA, self._pair), max(self._least - 1, 0), most)
        options = [sequence(self._pair, more)]
        behind: Expression = Repeat(sequence(COMMA, self._pair), 0, most)
        for member in reversed(self._members):
            options.append(sequence(member.expression, behind))
            behind = self._rule(sequence(optional(sequence(COMMA, member.expression)), behind))
        some = Choice(tuple(reversed(options)))
        return some if self._least else optional(some)

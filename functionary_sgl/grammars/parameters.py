"""Objects of a JSON Schema as parameters: each with its name and its value in a place of their own.

    <parameter=city>
    Rome
    </parameter>
    <parameter=days>
    3
    </parameter>
    </function>

Strings stand as they are, all else in JSON. What a text says is read by the same schema
(`readings.py`): where both a string and something else may stand, JSON of the latter is that.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from functionary_sgl.errors import InvalidSchema
from functionary_sgl.grammars.alternatives import Part
from functionary_sgl.grammars.arrays import counts
from functionary_sgl.grammars.keywords import Keywords, keywords_of
from functionary_sgl.grammars.lark import (
    NEVER,
    NOTHING,
    Choice,
    Expression,
    Grammar,
    Literal,
    Repeat,
    optional,
    sequence,
)
from functionary_sgl.grammars.marks import Marks
from functionary_sgl.grammars.numbers import number_pattern
from functionary_sgl.grammars.objects import member_schemas, names_of, patterns_of, schemas_for
from functionary_sgl.grammars.patterns import plain_pattern_text
from functionary_sgl.grammars.plain import PlainTexts, Text, literally
from functionary_sgl.grammars.readings import Readings
from functionary_sgl.grammars.rules import CAPITALS, Rules

MOST_IN_ANY_ORDER = 5
"""Listed parameters that may come in any order; there is a rule for each set of them that is left.
More come in the schema's order."""


Places = Marks | Keywords
"""How the arguments of a call are written that are no JSON object."""


def parameters_text(schema: Mapping[str, Any], places: Places, tails: Sequence[str] = ()) -> str:
    """A grammar for the objects that satisfy `schema`, written in such `places`, to their end; one
    of `tails` may follow.

    Raises InvalidSchema where there are none, and for what no grammar here can hold.
    """
    grammar = Grammar()
    tail = [optional(Choice(tuple(map(Literal, tails))))] * bool(tails)
    text = grammar.text(sequence(parameters_of(schema, places, grammar), *tail))
    if text is None:
        raise InvalidSchema("No value satisfies it.")
    return text


def parameters_of(schema: Mapping[str, Any], places: Places, grammar: Grammar) -> Expression:
    """As `value_of`, for objects in such `places`, to their end."""
    if isinstance(places, Keywords):
        return keywords_of(schema, grammar)
    return _Parameters(schema, places, grammar).expression()


class _Member(NamedTuple):
    expression: Expression
    required: bool


class _Parameters:
    def __init__(self, schema: Mapping[str, Any], marks: Marks, grammar: Grammar) -> None:
        self._schema = schema
        self._marks = marks
        self._grammar = grammar
        self._rules = Rules(schema, grammar)
        self._keys = PlainTexts(grammar, marks, marks.value, marks.key)
        self._texts = PlainTexts(grammar, marks, marks.close)
        self._values: dict[tuple[int, ...], Expression] = {}
        self._kept: list[tuple[Any, ...]] = []

    def expression(self) -> Expression:
        readings = Readings(self._schema)
        blocks = []
        for parts in readings.objects:
            self._rules.work.spend("object", parts)
            blocks.append(self._block(parts, readings))
        self._rules.complete()
        return sequence(Choice(tuple(blocks)), *self._marks.pieces(self._marks.end))

    def _block(self, parts: Sequence[Part], readings: Readings) -> Expression:
        """The parameters of objects that satisfy all `parts`."""
        names = names_of(parts)
        required = {name for part in parts for name in part.get("required", ())}
        patterns = patterns_of(parts)
        members = []
        for name in names:
            readings.check(name)
            value = self._value(member_schemas(parts, name, patterns))
            if self._marks.value in name + self._marks.value[:-1]:
                value = NEVER  # its name would end before
            key = self._marks.pieces(f"{self._marks.key}{name}{self._marks.value}")
            members.append(_Member(sequence(*key, value), name in required))
        others = Choice(tuple(self._others(parts, names, patterns)))
        least, most = counts(parts, "minProperties", "maxProperties")
        return _Order(members, others, least, most, self._grammar).expression()

    def _others(
        self, parts: Sequence[Part], names: Sequence[str], patterns: Sequence[str]
    ) -> Iterator[Expression]:
        """As in `objects`: names that are not listed, for each combination of patterns."""
        listed = list(map(literally, names))
        for count in range(len(patterns) + 1):
            for found in combinations(patterns, count):
                schemas = tuple(s for part in parts for s in schemas_for(part, None, found))
                if False in schemas:
                    continue
                matching = [plain_pattern_text(pattern) for pattern in found]
                barred = [plain_pattern_text(p) for p in patterns if p not in found]
                if None in matching:
                    continue
                texts = ["(?s:.)*", *(text for text in matching if text is not None)]
                without = [*listed, *(text for text in barred if text is not None)]
                key = self._keys.one_of(Text(tuple(texts)), without=without)
                yield sequence(key, self._value(schemas))

    def _value(self, schemas: tuple[Any, ...]) -> Expression:
        """The values that satisfy all `schemas`, with what ends them."""
        key = tuple(map(id, schemas))
        if key not in self._values:
            self._kept.append(schemas)  # nothing else may get their ids
            self._values[key] = self._grammar.rule(self._made(schemas))
        return self._values[key]

    def _made(self, schemas: tuple[Any, ...]) -> Expression:
        alternatives = self._rules.alternatives.of(schemas)
        strings = [parts for type_, parts in alternatives if type_ == "string"]
        others = [one for one in alternatives if one.type != "string"]
        if any(not any(parts) for parts in strings):
            return self._texts.any()  # what is in JSON is one too
        told = [self._texts.string(parts) for parts in strings]
        texts = [text for text in told if text is not None]
        if not texts:
            return self._in_json(others)
        # One terminal for all that is no array and no object: a lexer takes the longest text.
        nested = [one for one in others if one.type in ("array", "object")]
        stepped = [one for one in others if any("multipleOf" in part for part in one.parts)]
        scalars = [one for one in others if one not in nested and one not in stepped]
        texts += [Text((one,)) for type_, parts in scalars for one in self._scalar(type_, parts)]
        barred = [r"[\[{](?s:.)*"] if nested else []
        found = self._texts.one_of(*texts, without=barred)
        return Choice((found, self._in_json([*nested, *stepped]))) if nested or stepped else found

    def _in_json(self, alternatives: Sequence[tuple[str, Sequence[Part]]]) -> Expression:
        options = []
        for type_, parts in alternatives:
            option = self._rules.of_type(type_, parts)
            if type_ in ("boolean", "null"):
                option = Choice(tuple(map(Literal, self._words(option))))
            options.append(option)
        return sequence(Choice(tuple(options)), *self._marks.pieces(self._marks.close))

    def _scalar(self, type_: str, parts: Sequence[Part]) -> Iterator[str]:
        """Regular expressions for values of this type that satisfy all `parts`."""
        if type_ == "number":
            self._rules.work.spend(type_, parts)
            if (pattern := number_pattern(parts)) is not None:
                yield pattern
            return
        yield from self._words(self._rules.of_type(type_, parts))

    def _words(self, option: Expression) -> Iterator[str]:
        """The words that `option` is one of, each in all ways to write it."""
        for word in option.options if isinstance(option, Choice) else (option,):
            assert isinstance(word, Literal)
            yield word.text
            if self._marks.capitals:
                yield CAPITALS[word.text]


class _Order:
    """The `members` of an object, in any order or in that of the schema, and behind them `others`;
    there are `least` to `most` of all."""

    def __init__(
        self,
        members: Sequence[_Member],
        others: Choice,
        least: int,
        most: int | None,
        grammar: Grammar,
    ) -> None:
        required = sum(member.required for member in members)
        self._members = members
        self._grammar = grammar
        self._other: Expression = grammar.rule(others) if others.options else NEVER
        self._least = max(least - required, 0)
        self._most = None if most is None else most - required
        if required < len(members) and (self._least > (required == 0) or most is not None):
            raise InvalidSchema("Properties that may be left out are not counted.")
        self._states: dict[frozenset[int], Expression] = {}

    def expression(self) -> Expression:
        if self._most is not None and self._most < 0:
            return NEVER
        if self._least and not all(member.required for member in self._members):
            return self._some()
        return self._behind(frozenset(range(len(self._members))))

    def _behind(self, left: frozenset[int]) -> Expression:
        """What may come where the members `left` have not come yet."""
        if len(left) > MOST_IN_ANY_ORDER:
            return self._in_order(min(left))
        if left not in self._states:
            name = self._grammar.rule(NEVER)
            self._states[left] = name
            options = [
                sequence(self._members[one].expression, self._behind(left - {one}))
                for one in sorted(left)
            ]
            if not any(self._members[one].required for one in left):
                options.append(self._rest(self._least))
            self._grammar.rules[name.name] = Choice(tuple(options))
        return self._states[left]

    def _in_order(self, first: int) -> Expression:
        found = (
            member.expression if member.required else optional(member.expression)
            for member in self._members[first:]
        )
        return sequence(*found, self._rest(self._least))

    def _rest(self, least: int) -> Expression:
        return Repeat(self._other, least, self._most) if self._other != NEVER or least else NOTHING

    def _some(self) -> Expression:
        """Any of the members, of which none is required, or of the others, but not none of them."""
        options = [self._rest(1)]
        self._least = 0
        if len(self._members) <= MOST_IN_ANY_ORDER:
            every = frozenset(range(len(self._members)))
            options += [
                sequence(self._members[one].expression, self._behind(every - {one}))
                for one in sorted(every)
            ]
            return Choice(tuple(options))
        behind = self._rest(0)
        for member in reversed(self._members):
            options.append(sequence(member.expression, behind))
            behind = self._grammar.rule(sequence(optional(member.expression), behind))
        return Choice(tuple(options))

"""The grammar of a JSON Schema: a rule for each set of schemas that apply to one value."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from functionary_sgl.errors import InvalidSchema
from functionary_sgl.grammars.alternatives import Alternatives, Part
from functionary_sgl.grammars.arrays import array
from functionary_sgl.grammars.lark import (
    NEVER,
    Choice,
    Expression,
    Grammar,
    Literal,
    Name,
    optional,
    sequence,
)
from functionary_sgl.grammars.literals import LiteralTexts
from functionary_sgl.grammars.multiples import as_integers, has_steps, multiples, simplified
from functionary_sgl.grammars.numbers import number_pattern
from functionary_sgl.grammars.objects import object_
from functionary_sgl.grammars.texts import Texts
from functionary_sgl.grammars.work import Work

MOST_SPELLED = 2_000
"""Characters of values and names that are taken in every spelling. Where there are more, only those
that writers of JSON escape are."""


CAPITALS = {"true": "True", "false": "False", "null": "None"}
"""JSON's words, and Python's."""


class Terms(NamedTuple):
    """How values are written: strings, and each of JSON's words in all ways."""

    texts: type[Texts | LiteralTexts]
    words: Mapping[str, tuple[str, ...]]


JSON = Terms(Texts, {word: (word,) for word in CAPITALS})
PYTHON = Terms(LiteralTexts, {word: (capital, word) for word, capital in CAPITALS.items()})


def grammar_text(schema: Mapping[str, Any], lead: str = "", tails: Sequence[str] = ()) -> str:
    """A grammar for the JSON texts, behind `lead`, that satisfy `schema`, as `schemas.enforceable`
    gives it; one of `tails` may follow.

    Raises InvalidSchema where there are none, and for what no grammar here can hold.
    """
    grammar = Grammar()
    value = value_of(schema, grammar)
    tail = optional(Choice(tuple(map(Literal, tails))))
    text = grammar.text(sequence(*[Literal(lead)] * bool(lead), value, tail))
    if text is None:
        raise InvalidSchema("No value satisfies it.")
    return text


def value_of(schema: Mapping[str, Any], grammar: Grammar) -> Expression:
    """The JSON texts that satisfy `schema`, as `schemas.enforceable` gives it; their rules are
    added to `grammar`. Raises InvalidSchema for what no grammar here can hold."""
    rules = Rules(schema, grammar)
    value = rules.value((schema,))
    rules.complete()
    return value


class Rules:
    """Makes rules in `grammar` for values that satisfy `schema`, or parts of it. What they need in
    turn is there when they are `complete`."""

    def __init__(self, schema: Mapping[str, Any], grammar: Grammar, terms: Terms = JSON) -> None:
        self._definitions = schema.get("$defs", {})
        self.alternatives = Alternatives(self._definitions)
        self.work = Work()
        self._grammar = grammar
        self._values: dict[tuple[int, ...], Name] = {}
        self._kept: list[Any] = []
        self._pending: list[tuple[Name, tuple[Any, ...]]] = []
        self._words = terms.words
        self.texts = terms.texts(grammar.terminal, _characters(schema) <= MOST_SPELLED)

    def complete(self) -> None:
        """Make the rules that others need, until all are there."""
        while self._pending:
            name, schemas = self._pending.pop()
            self._grammar.rules[name.name] = self._expression(schemas)

    def value(self, schemas: tuple[Any, ...]) -> Expression:
        """The values that satisfy all of `schemas`."""
        targets = map(self._target, schemas)
        apart = {id(schema): schema for schema in targets if schema is not True and schema != {}}
        if False in apart.values():
            return NEVER
        key = tuple(apart)
        if key not in self._values:
            self._kept += apart.values()  # nothing else may get their ids
            self._values[key] = self._grammar.rule(NEVER)
            self._pending.append((self._values[key], tuple(apart.values())))
        return self._values[key]

    def _target(self, schema: Any) -> Any:
        """What `schema` refers to if it says nothing else, so that there is one rule for it."""
        for _ in self._definitions:
            if not isinstance(schema, dict) or schema.keys() != {"$ref"}:
                break
            schema = self._definitions.get(schema["$ref"].removeprefix("#/$defs/"), False)
        return schema

    def _expression(self, schemas: tuple[Any, ...]) -> Expression:
        found = self.alternatives.of(schemas)
        options = [self.of_type(type_, parts) for type_, parts in found]
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def of_type(self, type_: str, parts: Sequence[Part]) -> Expression:
        """The values of this type that satisfy all `parts`."""
        self.work.spend(type_, parts)
        match type_:
            case "null":
                return self._word("null")
            case "boolean":
                values = [v for v in (True, False) if all(v in p["enum"] for p in parts)]
                return Choice(tuple(self._word(json.dumps(value)) for value in values))
            case "number":
                return self._number(parts)
            case "string":
                return self.texts.string(parts)
            case "array":
                return array(parts, self.value, self._grammar.rule)
        return object_(parts, self.value, self._grammar.rule, self.texts)

    def _word(self, word: str) -> Expression:
        ways = tuple(map(Literal, self._words[word]))
        return ways[0] if len(ways) == 1 else Choice(ways)

    def _number(self, parts: Sequence[Part]) -> Expression:
        parts = simplified(parts)
        if not has_steps(parts):
            return self._numbers(parts)
        own = multiples(parts)
        integers = as_integers(parts)
        return Choice(
            (
                NEVER if own is None else self._grammar.own(own),
                NEVER if has_steps(integers) else self._numbers(integers),
            )
        )

    def _numbers(self, parts: Sequence[Part]) -> Expression:
        pattern = number_pattern(parts)
        return NEVER if pattern is None else self._grammar.terminal(f"/{pattern}/")


def _characters(schema: Mapping[str, Any]) -> int:
    """How many characters the values and names of `schema` have that might be spelled."""
    count, left = 0, [schema]
    while left:
        node = left.pop()
        if isinstance(node, dict):
            left += node.values()
            count += sum(map(len, node.get("properties", ())))
            for value in (node.get("const"), *node.get("enum", ())):
                count += len(value) if isinstance(value, str) else 0
        elif isinstance(node, list):
            left += node
    return count

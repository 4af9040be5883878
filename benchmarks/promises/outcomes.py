"""What becomes of a case: how the gate takes its schema, and whether the grammar keeps to that."""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import permutations
from typing import Any

import jsonschema_rs
from llguidance import LLMatcher, LLTokenizer

from benchmarks.promises.places import Places, spellings
from benchmarks.promises.suites import Case
from functionary_sgl.chat.json_text import written
from functionary_sgl.chat.schema import NO_ARGUMENTS, Arguments
from functionary_sgl.chat.tools import Tool
from functionary_sgl.engines.base import Constraint
from functionary_sgl.engines.grammar import grammar
from functionary_sgl.errors import InvalidSchema
from functionary_sgl.gate import Gate

TOKENIZER = LLTokenizer("byte")

KINDS = ("exact", "told", "refused")
"""Of outcomes, the best first."""

MOST_ORDERS = 720
"""Orders of keys that are tried before an instance is said to be refused."""


@dataclass
class Outcome:
    """What became of a case, and where that is less than was promised.

    kind: exact (a strict tool may have the schema: all of it is enforced), told (not all), or
        refused.
    told: pointers to what is not enforced. reason: why it is refused.
    false_positives: invalid, yet taken with nothing told. misjudged: told wrongly by the validator
        to be valid, or invalid. too_narrow: valid, yet not taken. closed: so too, since objects
        that list their properties are closed, as is documented. All of them are JSON.
    """

    kind: str
    told: list[str] = field(default_factory=list)
    reason: str = ""
    false_positives: list[str] = field(default_factory=list)
    misjudged: list[str] = field(default_factory=list)
    too_narrow: list[str] = field(default_factory=list)
    closed: int = 0
    enforced: Arguments | None = None


class Taken:
    """Which instances a grammar takes."""

    def __init__(self, known: Arguments) -> None:
        assert known.constraint is not None
        self._known = known
        source = Constraint("json_schema", known.constraint)
        self._matcher = LLMatcher(TOKENIZER, grammar(source), log_level=0)

    @cached_property
    def _order(self) -> Places:
        return Places(json.loads(self._known.constraint or "{}"))

    def takes(self, value: Any) -> bool:
        return any(self._takes_text(text) for text in spellings(self._order, value))

    def takes_somehow(self, value: Any) -> bool:
        """Also with its keys in another order than the schema's."""
        if self.takes(value):
            return True
        for number, form in enumerate(_orders(value)):
            if number == MOST_ORDERS:
                break
            if self._takes_text(json.dumps(form, ensure_ascii=False)):
                return True
        return False

    def _takes_text(self, text: str) -> bool:
        self._matcher.reset()
        data = list(text.encode("utf-8", "surrogatepass"))
        return bool(
            self._matcher.try_consume_tokens(data) == len(data) and self._matcher.is_accepting()
        )


def _orders(value: Any) -> Any:
    """`value` with the keys of one of its objects in each other order."""
    if isinstance(value, dict):
        for keys in permutations(value):
            yield {key: value[key] for key in keys}
        for key, member in value.items():
            yield from (value | {key: form} for form in _orders(member))
    if isinstance(value, list):
        for place, member in enumerate(value):
            yield from ([*value[:place], form, *value[place + 1 :]] for form in _orders(member))


def outcomes(gate: Gate, cases: Iterable[Case]) -> dict[str, Outcome]:
    """What becomes of `cases` at `gate`, by their names."""

    async def found() -> dict[str, Outcome]:
        return {case.name: await outcome(gate, case) for case in cases}

    return asyncio.run(found())


async def outcome(gate: Gate, case: Case) -> Outcome:
    """What becomes of `case` at `gate`, strict and not."""
    (strict, why), (loose, reason) = await asyncio.gather(
        _admitted(gate, case, strict=True), _admitted(gate, case, strict=False)
    )
    if loose is None:
        return Outcome("refused", reason=reason)
    found = Outcome("told" if strict is None else "exact", list(loose.unenforced))
    if strict is None and not loose.unenforced:
        found.false_positives.append(f"nothing is told, but a strict tool is refused: {why}")
    _compare(case, loose, found)
    if strict is not None:
        found.enforced = strict
        if strict.constraint != loose.constraint:
            _compare(case, strict, found)
    return found


async def _admitted(gate: Gate, case: Case, strict: bool) -> tuple[Arguments | None, str]:
    """What is known of the arguments, or why the schema is refused."""
    try:
        tool = Tool("f", parameters_json=written(case.parameters), strict=strict)
        return (await gate.admit([tool]))["f"], ""
    except InvalidSchema as error:
        return None, f"{error.param}: {error.message}"


def _compare(case: Case, known: Arguments, found: Outcome) -> None:
    """Add to `found` where what is `known` of the arguments disagrees with the instances."""
    taken, whole = Taken(known), json.loads(known.whole)
    validator = jsonschema_rs.Draft202012Validator(whole, validate_formats=True, offline=True)
    for value in case.valid:
        if known.unenforced and not validator.is_valid(value):
            _add(found.misjudged, value)
        if not taken.takes(value):
            if known.whole == NO_ARGUMENTS or Places(whole).closed_out(value):
                found.closed += 1
            elif not taken.takes_somehow(value):
                _add(found.too_narrow, value)
    for value in case.invalid:
        if known.unenforced and validator.is_valid(value):
            _add(found.misjudged, value)
        elif not known.unenforced and taken.takes(value):
            _add(found.false_positives, value)


def _add(texts: list[str], value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False)
    if text not in texts:
        texts.append(text)

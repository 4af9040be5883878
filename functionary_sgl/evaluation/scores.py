"""Answers compared with what is right."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import jsonschema

from functionary_sgl.evaluation.client import Answer, GivenCall
from functionary_sgl.evaluation.questions import Question

_CODE = "python"


@dataclass(frozen=True)
class Score:
    """One answer.

    decision: calls where calls are right, text where text is.
    function: the right functions, each as often as it should be; None where text is right.
    exact: the right functions with the right arguments; where text is right, text in which is what
    it must contain.
    valid: every call is of a function on offer, with arguments that its schema allows; None where
    the answer has no calls.
    """

    category: str
    decision: bool
    function: bool | None
    exact: bool
    valid: bool | None
    tokens: int
    seconds: float
    error: bool


def score(question: Question, answer: Answer) -> Score:
    """How good `answer` is."""
    decision = answer.error is None and bool(answer.calls) == bool(question.calls)
    function: bool | None = None
    if question.calls:
        wanted = sorted(call.name for call in question.calls)
        function = sorted(call.name for call in answer.calls) == wanted
        exact = function and _keys(answer.calls) == sorted(
            _key(call.name, call.arguments) for call in question.calls
        )
    else:
        exact = decision and all(part in answer.text for part in question.contains)
    valid = all(_is_valid(call, question) for call in answer.calls) if answer.calls else None
    failed = answer.error is not None
    return Score(
        question.category, decision, function, exact, valid, answer.tokens, answer.seconds, failed
    )


@dataclass(frozen=True)
class Row:
    """A category's scores: shares from 0 to 1 (None where nothing was to be scored), and tokens and
    seconds for an answer on average."""

    category: str
    questions: int
    decision: float | None
    function: float | None
    exact: float | None
    valid: float | None
    tokens: float
    seconds: float
    errors: int

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def rows(scores: Iterable[Score]) -> list[Row]:
    """A row for each category, and one for all."""
    by_category: dict[str, list[Score]] = {}
    for one in scores:
        by_category.setdefault(one.category, []).append(one)
    together = [one for several in by_category.values() for one in several]
    return [_row(*item) for item in [*by_category.items(), ("all", together)]]


def _row(category: str, scores: list[Score]) -> Row:
    return Row(
        category=category,
        questions=len(scores),
        decision=_share(one.decision for one in scores),
        function=_share(one.function for one in scores),
        exact=_share(one.exact for one in scores),
        valid=_share(one.valid for one in scores),
        tokens=sum(one.tokens for one in scores) / len(scores),
        seconds=sum(one.seconds for one in scores) / len(scores),
        errors=sum(one.error for one in scores),
    )


def _share(values: Iterable[bool | None]) -> float | None:
    counted = [value for value in values if value is not None]
    return sum(counted) / len(counted) if counted else None


def _keys(calls: Iterable[GivenCall]) -> list[str]:
    return sorted(_key(call.name, _parsed(call)) for call in calls)


def _key(name: str, arguments: Any) -> str:
    """What equal calls have in common; the order of keys does not count, and 1.0 is 1."""
    return json.dumps([name, _plain(arguments)], sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value.strip() if isinstance(value, str) else value


def _parsed(call: GivenCall) -> Any:
    if call.name == _CODE:
        return call.arguments
    try:
        return json.loads(call.arguments)
    except ValueError:
        return None


def _is_valid(call: GivenCall, question: Question) -> bool:
    if call.name == _CODE:
        return {"type": "code_interpreter"} in question.request.get("tools", ())
    schema = question.schemas.get(call.name)
    if schema is None:
        return False
    arguments = _parsed(call)
    if not isinstance(arguments, dict):
        return False
    validator: Any = jsonschema.validators.validator_for(schema)(schema)
    return bool(validator.is_valid(arguments))

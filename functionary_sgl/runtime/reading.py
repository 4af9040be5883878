"""A program as a reader: what a turn says, if it is one that the program could have written."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from functionary_sgl.grammars.marks import Marks
from functionary_sgl.grammars.readings import readings
from functionary_sgl.runtime.events import Variable
from functionary_sgl.runtime.parameters import reader
from functionary_sgl.runtime.prompt import Prompt
from functionary_sgl.runtime.replay import Answer, replayed

_SPACES = re.compile(r"\s*")


class Said(NamedTuple):
    """What a turn says: its text, its calls as names and arguments, and its reasoning."""

    content: str
    calls: tuple[tuple[str, str], ...]
    reasoning: str = ""


def read(program: Any, offer: object, turn: str, ends: Sequence[str]) -> Said | None:
    """What `turn` says, a text with the control token that ends it (one of `ends`); None if it is
    no turn that `program` writes with this offer."""
    answers: list[Answer] = []
    objects: dict[str, str] = {}
    while True:
        step = replayed(program, Prompt("", []), offer, answers)
        if not turn.startswith(step.pending):
            return None
        turn = turn.removeprefix(step.pending)
        if step.expression is None:
            return _said({**step.variables, **objects}) if turn in ("", *ends) else None
        if (marks := getattr(step.expression, "marks", None)) is not None:
            schema = step.expression.sampling_params.json_schema
            # Templates show values of calls in Python more or less as literals.
            strict = isinstance(marks, Marks)
            parameters = reader(marks, readings(schema), strict=strict)
            objects[step.expression.name] = parameters.feed(turn)
            answer = Answer(turn[: parameters.passed]) if parameters.ended else None
        else:
            answer = _answer(step.expression, turn, ends)
        if answer is None:
            return None
        answers.append(answer)
        turn = turn.removeprefix(answer.text)


def _answer(asked: Any, turn: str, ends: Sequence[str]) -> Answer | None:
    """What `turn` begins with, as an answer to what the program asks."""
    if hasattr(asked, "choices"):
        found = [choice for choice in asked.choices if turn.startswith(choice)]
        return Answer(max(found, key=len)) if found else None
    wanted = asked.sampling_params
    if wanted.json_schema:
        return _value(turn)
    if wanted.regex:
        match = re.match(wanted.regex, turn)
        return Answer(match[0]) if match else None
    return _text(turn, wanted.stop or (), ends)


def _text(turn: str, stops: Sequence[str], ends: Sequence[str]) -> Answer:
    """A text up to the first of `stops`, the longest of those that begin there, or to its end."""
    places = [(turn.find(stop), -len(stop), stop) for stop in (*stops, *ends) if stop in turn]
    if not places:
        return Answer(turn)
    place, _, stop = min(places)
    return Answer(turn[:place], stop if stop in stops else None)


def _value(turn: str) -> Answer | None:
    """A JSON value, and the spaces before it."""
    spaces = _SPACES.match(turn)
    assert spaces is not None
    try:
        _, end = json.JSONDecoder().raw_decode(turn, spaces.end())
    except ValueError:
        return None
    return Answer(turn[:end])


def _said(variables: Mapping[str, str]) -> Said:
    told = [(Variable.parse(name), text) for name, text in variables.items()]
    content, reasoning = (
        "".join(text for variable, text in told if variable.role == role)
        for role in ("content", "reasoning")
    )
    calls = (
        (variables[f"recipient_{variable.place}"], text)
        for variable, text in told
        if variable.role == "arguments"
    )
    return Said(content, tuple(calls), reasoning)

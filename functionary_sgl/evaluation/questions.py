"""Questions and their right answers.

A file of them has one JSON object on each line:

    {"id": "single 1", "category": "single",
     "request": {"messages": [...], "tools": [...]},
     "expected": {"calls": [{"name": "now", "arguments": {}}], "contains": []}}

`request` is the body of a chat request without its model. `calls` are the calls of the right
answer, in any order; the code interpreter's name is `python`, and its arguments are the source as a
string. Without calls the right answer is text, in which all strings of `contains` occur.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from functionary_sgl.errors import UsageError

HELD_OUT = Path(__file__).parent / "heldout.jsonl"
"""Questions in words and about functions that the embedded model was not trained on."""


@dataclass(frozen=True)
class ExpectedCall:
    """A call of the right answer: `arguments` is an object, or source code for `python`."""

    name: str
    arguments: Any


@dataclass(frozen=True)
class Question:
    """A request with its right answer; see the module."""

    id: str
    category: str
    request: dict[str, Any]
    calls: tuple[ExpectedCall, ...]
    contains: tuple[str, ...] = field(default=())

    @property
    def schemas(self) -> dict[str, dict[str, Any]]:
        """The parameters of each function on offer."""
        functions = (t["function"] for t in self.request.get("tools", ()) if "function" in t)
        return {function["name"]: function.get("parameters") or {} for function in functions}


def read(file: Path, limit: int | None = None) -> list[Question]:
    """The questions in `file`, at most `limit` of each category; UsageError where it has none."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
        questions = [_question(json.loads(line)) for line in lines if line.strip()]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{file} is no file of questions: {error!r}") from error
    seen: dict[str, int] = {}
    kept = []
    for question in questions:
        seen[question.category] = seen.get(question.category, 0) + 1
        if limit is None or seen[question.category] <= limit:
            kept.append(question)
    if not kept:
        raise UsageError(f"{file} has no questions")
    return kept


def _question(content: dict[str, Any]) -> Question:
    expected = content["expected"]
    calls: Sequence[dict[str, Any]] = expected["calls"]
    return Question(
        id=content["id"],
        category=content["category"],
        request=content["request"],
        calls=tuple(ExpectedCall(call["name"], call["arguments"]) for call in calls),
        contains=tuple(expected.get("contains", ())),
    )

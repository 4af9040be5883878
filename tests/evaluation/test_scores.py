"""What counts as right."""

import json
from pathlib import Path
from typing import Any

import pytest

from functionary_sgl.evaluation.client import Answer, GivenCall
from functionary_sgl.evaluation.questions import HELD_OUT, ExpectedCall, Question, read
from functionary_sgl.evaluation.scores import Score, rows, score
from tests.paths import ROOT

EVERYDAY = ROOT / "nano" / "data" / "everyday.jsonl"
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city"],
}
REQUEST: dict[str, Any] = {
    "messages": [{"role": "user", "content": "?"}],
    "tools": [
        {"type": "function", "function": {"name": "get", "parameters": SCHEMA}},
        {"type": "code_interpreter"},
    ],
}


def asked(*calls: tuple[str, Any], contains: tuple[str, ...] = ()) -> Question:
    return Question("q", "c", REQUEST, tuple(ExpectedCall(*call) for call in calls), contains)


def given(*calls: tuple[str, str], text: str = "", error: str | None = None) -> Answer:
    return Answer(text, tuple(GivenCall(*call) for call in calls), 7, 0.5, error)


def verdict(question: Question, answer: Answer) -> tuple[bool, bool | None, bool, bool | None]:
    one = score(question, answer)
    return one.decision, one.function, one.exact, one.valid


ROME = asked(("get", {"city": "Rome", "days": 2}))
TWO = asked(("get", {"city": "Rome"}), ("get", {"city": "Oslo"}))
CODE = asked(("python", "print(1)"))
TEXT = asked(contains=("22", "sunny"))


@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        (ROME, given(("get", '{"days": 2, "city": "Rome"}')), (True, True, True, True)),
        (ROME, given(("get", '{"days": 2.0, "city": "Rome "}')), (True, True, True, True)),
        (ROME, given(("get", '{"city": "Roma", "days": 2}')), (True, True, False, True)),
        (ROME, given(("get", '{"days": 2}')), (True, True, False, False)),
        (ROME, given(("get", '{"city": ')), (True, True, False, False)),
        (ROME, given(("set", "{}")), (True, False, False, False)),
        (ROME, given(text="No."), (False, False, False, None)),
        (ROME, given(error="500"), (False, False, False, None)),
        (
            TWO,
            given(("get", '{"city": "Oslo"}'), ("get", '{"city": "Rome"}')),
            (True, True, True, True),
        ),
        (TWO, given(("get", '{"city": "Oslo"}')), (True, False, False, True)),
        (CODE, given(("python", "print(1)\n")), (True, True, True, True)),
        (TEXT, given(text="It is sunny, 22 degrees."), (True, None, True, None)),
        (TEXT, given(text="It is sunny."), (True, None, False, None)),
        (TEXT, given(("get", '{"city": "Rome"}')), (False, None, False, True)),
        (TEXT, given(error="500"), (False, None, False, None)),
    ],
)
def test_an_answer_is_judged(question: Question, answer: Answer, expected: Any) -> None:
    assert verdict(question, answer) == expected


def test_rows_are_shares_of_what_was_scored() -> None:
    scores = [
        Score("a", True, True, False, True, 10, 1.0, False),
        Score("a", False, False, False, None, 20, 2.0, True),
        Score("b", True, None, True, None, 30, 3.0, False),
    ]
    first, second, together = rows(scores)
    assert (first.category, first.decision, first.valid, first.tokens) == ("a", 0.5, 1.0, 15)
    assert (second.function, second.valid, second.exact) == (None, None, 1.0)
    assert (together.questions, together.function, together.seconds) == (3, 0.5, 2.0)
    assert together.errors == 1


@pytest.mark.parametrize("questions", [HELD_OUT, EVERYDAY], ids=["held out", "everyday"])
def test_right_answers_to_the_questions_are_exact(questions: Path) -> None:
    for question in read(questions):
        calls = tuple(
            GivenCall(c.name, c.arguments if c.name == "python" else json.dumps(c.arguments))
            for c in question.calls
        )
        one = score(question, Answer(" ".join(question.contains), calls))
        assert one.exact, question.id
        assert one.valid is not False, question.id

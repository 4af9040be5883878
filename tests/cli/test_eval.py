"""The command that scores a server."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from functionary_sgl.cli import main
from functionary_sgl.evaluation.questions import HELD_OUT, read
from tests.conftest import WEATHER
from tests.serving import Served

QUESTION = {
    "id": "1",
    "category": "lists, objects, switches",
    "request": {"messages": [{"role": "user", "content": "Rome?"}], "tools": [WEATHER]},
    "expected": {"calls": [{"name": "get_current_weather", "arguments": {"location": "Rome"}}]},
}
TEXT = {
    "id": "2",
    "category": "text",
    "request": {"messages": [{"role": "user", "content": "Hi"}]},
    "expected": {"calls": [], "contains": ["Hello"]},
}


@pytest.fixture
def served(serve: Callable[..., Served]) -> Served:
    return serve(
        {"match": "Rome", "turn": 'get_current_weather\n{"location": "Rome"}'},
        {"match": "Hi", "turn": "all\nGood day!"},
    )


@pytest.fixture
def questions(tmp_path: Path) -> str:
    file = tmp_path / "questions.jsonl"
    file.write_text(f"{json.dumps(QUESTION)}\n{json.dumps(TEXT)}\n")
    return str(file)


def test_a_server_is_scored(
    served: Served, questions: str, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = ["--base-url", f"{served.url}/v1", "--questions", questions]
    assert main(["eval", *flags, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["model"] == "m"
    single, text, together = content["rows"]
    assert (single["decision"], single["function"], single["exact"], single["valid"]) == (1,) * 4
    assert (text["decision"], text["function"], text["exact"]) == (1, None, 0)
    assert (together["questions"], together["exact"]) == (2, 0.5)
    assert single["tokens"] > 0

    monkeypatch.setenv("COLUMNS", "80")
    assert main(["eval", *flags]) == 0
    table = capsys.readouterr().out
    assert "lists, objects, switches" in table
    assert "seconds" in table
    assert "50.0 %" in table


def test_so_many_questions_of_each_category_are_asked() -> None:
    few = read(HELD_OUT, limit=2)
    categories = {question.category for question in read(HELD_OUT)}
    assert len(few) == 2 * len(categories)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--base-url", "http://127.0.0.1:1/v1"], "no server with a model at"),
        (["--base-url", "http://127.0.0.1:1/v1", "--tp", "2"], "unknown flag --tp"),
        (["--questions", "/nowhere"], "is no file of questions"),
        (["--questions", __file__], "is no file of questions"),
    ],
)
def test_mistakes_are_told_in_a_line(arguments: list[str], reason: str, capsys: Any) -> None:
    assert main(["eval", *arguments]) == 2
    assert reason in capsys.readouterr().err

"""The measurement of the guarantee measures it."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from benchmarks.guarantee import main, table
from benchmarks.judge import judge
from benchmarks.random_requests import request
from tests.conftest import WEATHER
from tests.serving import Served

ASK: dict[str, Any] = {"tools": [WEATHER, {"type": "code_interpreter"}], "tool_choice": "auto"}
NAMED = {"type": "function", "function": {"name": "get_current_weather"}}
GOOD = ("get_current_weather", '{"location": "Rome"}')


def choice(
    *calls: tuple[str, str], content: str | None = None, reason: str = "tool_calls"
) -> dict[str, Any]:
    made = [{"function": {"name": name, "arguments": text}} for name, text in calls]
    return {"message": {"content": content, "tool_calls": made}, "finish_reason": reason}


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({}, choice(GOOD, ("python", "print(1"))),
        ({}, choice(content="Hello", reason="stop")),
        ({}, choice(GOOD, ("get_current_weather", '{"loc'), reason="length")),
        ({"tool_choice": "required"}, choice(reason="length")),
        ({"tool_choice": NAMED}, choice(GOOD, reason="stop")),
        ({"parallel_tool_calls": False}, choice(GOOD)),
    ],
)
def test_good_answers_are_good(fields: dict[str, Any], answer: dict[str, Any]) -> None:
    verdict = judge(ASK | fields, answer)
    assert verdict.complaints == []
    assert verdict.valid == verdict.calls - verdict.unfinished
    assert verdict.offered == verdict.calls


@pytest.mark.parametrize(
    ("fields", "answer", "complaint"),
    [
        ({}, choice(("get_time", "{}")), "not on offer"),
        ({"tools": [WEATHER]}, choice(("python", "print(1)")), "not on offer"),
        ({}, choice(("get_current_weather", '{"loc')), "is no JSON"),
        ({}, choice(("get_current_weather", '{"loc'), GOOD, reason="length"), "is no JSON"),
        ({}, choice(("get_current_weather", "{}")), "required property"),
        ({}, choice(("get_current_weather", '{"location": 1}'), reason="length"), "of type"),
        ({}, choice(GOOD, reason="stop"), "finish reason"),
        ({}, choice(content="Hello"), "finish reason"),
        ({"tool_choice": NAMED}, choice(GOOD), "finish reason"),
        ({"tool_choice": NAMED}, choice(("python", ""), reason="stop"), "another function"),
        ({"tool_choice": "required"}, choice(content="Hi", reason="stop"), "no call"),
        ({"tool_choice": "required"}, choice(GOOD, content="Hi"), "text"),
        ({"tool_choice": "none"}, choice(GOOD), "none was allowed"),
        ({"parallel_tool_calls": False}, choice(GOOD, GOOD), "parallel"),
    ],
)
def test_broken_promises_are_seen(
    fields: dict[str, Any], answer: dict[str, Any], complaint: str
) -> None:
    assert complaint in "\n".join(judge(ASK | fields, answer).complaints)


def test_requests_are_the_same_for_the_same_seed() -> None:
    first, again, other = (request(Random(seed), "m") for seed in ("1 1", "1 1", "1 2"))
    assert first == again != other


def test_it_holds_for_an_engine_that_follows_constraints(
    serve: Callable[..., Served], capsys: pytest.CaptureFixture[str]
) -> None:
    served = serve({"turn": 'all\nHello>>>get\n{"city": "Rome"}'})
    assert main(["--base-url", f"{served.url}/v1", "--cases", "60", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["cases"] == figures["compared"] == figures["equal"] == 60
    assert figures["answers"] == 120
    assert figures["refused"] == 0
    assert "100.00%" in table(figures)


def test_it_does_not_hold_for_a_server_that_fails(
    serve: Callable[..., Served], capsys: pytest.CaptureFixture[str]
) -> None:
    served = serve({"turn": "all\nHello", "fault": "fail"})
    assert main(["--base-url", f"{served.url}/v1", "--cases", "2"]) == 1
    assert "server errors" in capsys.readouterr().out


def test_no_case_begins_after_the_time_is_up(
    serve: Callable[..., Served], capsys: pytest.CaptureFixture[str]
) -> None:
    served = serve({"turn": "all\nHello"})
    main(["--base-url", f"{served.url}/v1", "--seconds", "0", "--json"])
    assert json.loads(capsys.readouterr().out)["cases"] == 0

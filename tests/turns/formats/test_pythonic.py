"""Calls in Python: what begins them, and what of a text is none."""

from typing import Any

import pytest

from tests.formats import PROMPTERS
from tests.replay import replay

CALLS = [("get", '{"a": "it\'s", "b": [true, null]}'), ("now", "{}")]
WRITTEN = 'get(a="it\'s", b=[True, None])'
every_cut = pytest.mark.parametrize("cut", [1, "char", "all"])


@every_cut
@pytest.mark.parametrize(
    ("format", "turn"),
    [
        ("pythonic", f"[{WRITTEN}, now()]"),
        ("llama4-pythonic", f"[{WRITTEN}, now()]"),
        ("lfm2", f"<|tool_call_start|>[{WRITTEN}, now()]<|tool_call_end|>"),
        ("olmo3", f"<function_calls>{WRITTEN}\nnow()</function_calls>"),
    ],
)
def test_calls_are_told_as_json(format: str, turn: str, cut: Any) -> None:
    answer = replay(PROMPTERS[format], turn, cut)
    assert answer.said == (None, CALLS)
    assert answer.finish_reason == "tool_calls"


@every_cut
@pytest.mark.parametrize("constraints", ["schema", "off"])
def test_behind_text_is_a_call_where_templates_show_it(cut: Any, constraints: Any) -> None:
    turn = f"See [1] and [get]: [{WRITTEN}]"
    answer = replay(PROMPTERS["llama4-pythonic"], turn, cut, constraints=constraints)
    assert answer.said == ("See [1] and [get]:", CALLS[:1])
    answer = replay(PROMPTERS["pythonic"], turn, cut, constraints=constraints)
    assert answer.said == (turn, [])


@every_cut
@pytest.mark.parametrize("text", ["[1, 2]", "[get]", "[unknown(a=1)]", "get(a=1)", "[", "[get ("])
def test_what_is_no_call_is_text(text: str, cut: Any) -> None:
    for format in ("pythonic", "llama4-pythonic"):
        assert replay(PROMPTERS[format], text, cut).said == (text, [])


@pytest.mark.parametrize("format", ["pythonic", "llama4-pythonic", "lfm2", "olmo3"])
def test_arguments_follow_the_schema_whatever_the_model_would_write(format: str) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"enum": ["x'y"]}, "n": {"type": "integer"}},
        "required": ["a", "n"],
    }
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
    for wish in ("f(n='3')", "f()", "f(a=None, n=1.5)", "f(b=1)", 'f(a="x\'y", n=3)'):
        turn = {
            "lfm2": f"<|tool_call_start|>[{wish}]<|tool_call_end|>",
            "olmo3": f"<function_calls>{wish}</function_calls>",
        }.get(format, f"[{wish}]")
        fields: Any = {"tools": [tool], "tool_choice": "required", "parallel_tool_calls": False}
        ((name, made),) = replay(PROMPTERS[format], turn, **fields).said[1]
        assert name == "f"
        assert made.startswith('{"a": "x\'y", "n": ')


def test_without_constraints_values_that_are_no_literals_are_texts() -> None:
    turn = "[get(a=Rome, b=New York, c=3)]"
    answer = replay(PROMPTERS["pythonic"], turn, constraints="off")
    assert answer.said == (None, [("get", '{"a": "Rome", "b": "New York", "c": 3}')])

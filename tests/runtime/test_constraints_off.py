"""Invariant: with `--constraints off`, too, what a model writes is what is answered.

What is written well comes out as with constraints; what is not comes out as it was written.
"""

import json
import re
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from functionary_sgl.turns import FORMATS
from tests.formats import IN_A_LIST, JSON_FORMATS, PROMPTERS, possible, written
from tests.replay import NAMES, cuts, payloads, replay, thoughts
from tests.replay import arguments as all_arguments
from tests.runtime.test_stream_equals_answer import every_format, reasoning_formats

# Text that calls something, or would together with what follows it.
FREE_NAME = re.compile(r">>>[\w-]+\n|<function=[\w-]+(>|$)|<function=$", re.ASCII)
CONTROL = [token for format in FORMATS.values() for token in format.control_tokens]
texts = payloads.filter(lambda text: not FREE_NAME.search(text + "\n"))
# In a script, what is spelt like a control token is one, also inside of JSON.
arguments = all_arguments.filter(lambda text: not any(token in text for token in CONTROL))
calls = st.tuples(st.sampled_from(NAMES), arguments) | st.tuples(st.just("python"), payloads)
turns = st.tuples(st.none() | texts, st.lists(calls, max_size=3)).filter(any)


def off(format: str, turn: str, cut: Any = 1, **fields: Any) -> Any:
    return replay(PROMPTERS[format], turn, cut, constraints="off", **fields)


@every_format
@given(turns, cuts)
def test_what_is_written_well_is_answered_as_with_constraints(
    format: str, turn: Any, cut: Any
) -> None:
    content, calls = possible(format, *turn)
    answer = off(format, written(format, content, calls), cut)
    assert answer.said == (content, calls)
    assert answer.finish_reason == ("tool_calls" if calls else "stop")


@pytest.mark.parametrize("format", ["v3-llama3.1", "v3-llama3.1-reasoning"])
@pytest.mark.parametrize("text", ["<function=", "<function=now", "a <function=<tool"])
@pytest.mark.parametrize("cut", [1, "all"])
def test_code_begins_where_a_name_was_begun(format: str, text: str, cut: Any) -> None:
    answer = off(format, written(format, text, [("python", "print(0)")]), cut)
    assert answer.said == (text, [("python", "print(0)")])
    assert answer.finish_reason == "tool_calls"


@reasoning_formats
@given(thoughts, st.lists(calls, max_size=2), cuts)
def test_reasoning_is_told_apart(format: str, thought: str, made: Any, cut: Any) -> None:
    _, made = possible(format, None, made)
    answer = off(format, written(format, None, made, thought), cut)
    assert answer.message["reasoning_content"] == thought
    assert answer.said == (None, made)


@every_format
@given(st.lists(st.tuples(st.sampled_from(NAMES), arguments), min_size=1, max_size=3), cuts)
def test_required_calls_are_the_same(format: str, made: Any, cut: Any) -> None:
    _, made = possible(format, None, made)
    answer = off(format, written(format, None, made), cut, tool_choice="required")
    assert answer.said == (None, made)


@every_format
@given(arguments, cuts)
def test_a_named_call_is_the_same(format: str, arguments: str, cut: Any) -> None:
    choice = {"type": "function", "function": {"name": "now"}}
    _, made = possible(format, None, [("now", arguments)])
    turn = written(format, None, made)
    answer = off(format, turn, cut, tool_choice=choice)
    assert answer.said == (None, made)
    assert answer.finish_reason == "stop"


@every_format
@given(st.none() | texts, arguments, cuts)
def test_a_name_that_is_not_on_offer_is_called_as_written(
    format: str, content: str | None, arguments: str, cut: Any
) -> None:
    content, made = possible(format, content, [("Not-offered_1", arguments)])
    answer = off(format, written(format, content, made), cut)
    assert answer.said == (content, made)


@every_format
@pytest.mark.parametrize("choice", ["required", "allowed"])
def test_what_the_client_asks_for_is_kept(format: str, choice: str) -> None:
    allowed = {"mode": "auto", "tools": [{"type": "function", "function": {"name": "now"}}]}
    asked: Any = {"type": "allowed_tools", "allowed_tools": allowed}
    turn = written(format, None, [("unknown", "{}")])
    # One that finds nothing to say in its script calls on and on.
    answer = off(format, turn, tool_choice=asked if choice == "allowed" else choice, max_tokens=200)
    _, made = answer.said
    assert {name for name, _ in made} <= ({"now"} if choice == "allowed" else {*NAMES, "python"})
    assert made or choice == "allowed"


NAMELESS = {
    "v1": "Hi\n<|START_OF_FUNCTION_CALL|>HiX",
    "v2": "all\n<|content|>Hi<|from|>assistant\n<|recipient|>HiX",
    "v2.llama3": "Hi<|reserved_special_token_249|>HiX",
    "v3.llama3": "all\nHi>>>HiX",
    "v3-llama3.1": "Hi<function=HiX",
    "hermes": 'Hi<tool_call>\n{"name": "HiX',
    "r1": "Hi<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>HiX",
    "mistral": 'Hi[TOOL_CALLS] [{"name": "HiX',
    "mistral-v13": "Hi[TOOL_CALLS]HiX",
    "llama3-json": '{"name": "HiX',
}
MARKS_OF_TEXT = {"v1": "\n", "v2": "\n", "v3.llama3": ">>>", "v3-llama3.1": "<function="}


@pytest.mark.parametrize("format", NAMELESS)
def test_a_turn_that_ends_inside_a_name_has_no_call(format: str) -> None:
    answer = off(format, NAMELESS[format])
    before = "" if format == "llama3-json" else "Hi" + MARKS_OF_TEXT.get(format, "")
    assert answer.said == (before + "HiX", [])
    assert answer.finish_reason == "stop"


@pytest.mark.parametrize(
    ("format", "turn", "content", "made"),
    [
        ("v3.llama3", "Hello there", "Hello there", []),
        ("v3.llama3", "Hello", "Hello", []),
        ("v3.llama3", "Hello>>>get\n{}", "Hello", [("get", "{}")]),
        ("v3.llama3", "all\n>>> print(1)\n>>>x\n{}", ">>> print(1)\n", [("x", "{}")]),
        ("v3.llama3", "get\n{}>>>Done, then.", "Done, then.", [("get", "{}")]),
        ("v3.llama3", "python\n>>> 1>>>x\n", None, [("python", ">>> 1>>>x")]),
        ("v2", "Hello there", "Hello there", []),
        (
            "v3-llama3.1",
            "See <function=a b> or <function=f>{}",
            "See <function=a b> or ",
            [("f", "{}")],
        ),
        ("v3-llama3.1", "<function=<function=f>{}</function>", "<function=", [("f", "{}")]),
    ],
)
def test_what_is_no_name_is_text(format: str, turn: str, content: str, made: Any) -> None:
    for cut in (1, "char", "all"):
        said, calls = off(format, turn, cut).said
        assert (said and said.strip(), calls) == (content and content.strip(), made)


json_formats = pytest.mark.parametrize("format", JSON_FORMATS)
BROKEN = [
    "{'city': 'Rome'}",
    '{"city": "Rome",}',
    '{"city": "a\nb"}',
    '{"a": "say "hi" to"}',
    '{"a": tru}',
    '[{"a": 1}, 2]',
    '"{\\"a\\": 1}"',
]


@json_formats
@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("cut", [1, "char", "all"])
def test_broken_arguments_are_answered_as_written(format: str, broken: str, cut: Any) -> None:
    content, made = possible(format, "Look:", [("get", broken), ("now", "{}")])
    answer = off(format, written(format, content, made), cut)
    assert answer.said == (content, made)
    assert answer.finish_reason == "tool_calls"


# Where a mark of the format follows broken arguments, it ends them; where calls are members of an
# object of the format's, the end of this ends them. In a list of calls nothing does.
UNCLOSED = ['{"city": "Rome', '{"city": ["Rome"', '{"city": "Rome}', "Rome"]


@json_formats
@pytest.mark.parametrize("broken", UNCLOSED)
@pytest.mark.parametrize("cut", [1, "char", "all"])
def test_the_mark_of_a_call_ends_broken_arguments(format: str, broken: str, cut: Any) -> None:
    _, made = possible(format, None, [("get", broken), ("now", '{"a": 1}')])
    answer = off(format, written(format, None, made), cut)
    (name, told), *others = answer.said[1]
    assert name == "get"
    assert told.startswith(broken)
    if format not in IN_A_LIST:
        assert told.rstrip("}\n") == broken.rstrip("}\n")
        assert others == made[1:]


pieces = st.sampled_from(['{"a": ', '"', "}", "\\", "get", "\n", " ", "é", ">>>", "<function=now>"])
rubbish = st.lists(pieces | st.text(max_size=3), max_size=8).map("".join)
marks = CONTROL + [mark for format in FORMATS.values() for mark in format.marks]


@every_format
@given(st.lists(rubbish | st.sampled_from(marks), max_size=6).map("".join), cuts, cuts)
def test_whatever_a_model_writes_there_is_an_answer(
    format: str, turn: str, cut: Any, other: Any
) -> None:
    assume("\ufdd0" not in turn)
    answers = [off(format, turn, size, max_tokens=300) for size in (cut, other)]
    # A script that has marks where none belong may be begun again and again.
    if answers[0].finish_reason != "length":
        assert answers[0].finish_reason == ("tool_calls" if answers[0].said[1] else "stop")
        assert answers[0].said == answers[1].said


@json_formats
def test_strict_tools_are_constrained_all_the_same(format: str) -> None:
    closed = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    function = {"name": "now", "parameters": closed, "strict": True}
    free = {"name": "get", "parameters": closed}
    tools = [{"type": "function", "function": f} for f in (function, free)]
    for name, expected in (("now", '{"a": 1}'), ("get", '{"a": 1, "b": 2}')):
        turn = written(format, None, [(name, '{"a": 1, "b": 2}')])
        assert off(format, turn, tools=tools).said == (None, [(name, expected)])


@json_formats
def test_one_call_ends_the_turn_where_calls_are_not_parallel(format: str) -> None:
    _, made = possible(format, None, [("get", "{'a': 1}"), ("now", "{}")])
    answer = off(format, written(format, None, made), parallel_tool_calls=False)
    assert answer.said == (None, made[:1])


@every_format
def test_answers_in_json_are_enforced(format: str) -> None:
    wanted = {"name": "n", "schema": {"properties": {"a": {"type": "integer"}}, "required": ["a"]}}
    fields = {"response_format": {"type": "json_schema", "json_schema": wanted}, "tools": None}
    answer = off(format, written(format, '{"a": 1}', []), **fields)
    assert json.loads(answer.said[0]) == {"a": 1}
    answer = off(format, written(format, '{"b": 2}', []), **fields)
    assert json.loads(answer.said[0]).keys() == {"a"}

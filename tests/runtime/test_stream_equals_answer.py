"""Invariant: the folded stream is the answer, for every way to cut the engine's output.

Random turns are written as a model would write them, cut at random, and run; what comes out must
be what was meant.
"""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functionary_sgl.turns import FORMATS
from tests.formats import PROMPTERS, possible, written
from tests.replay import arguments, calls, cuts, payloads, replay, thoughts, turns

every_format = pytest.mark.parametrize("format", FORMATS)
reasoning_formats = pytest.mark.parametrize(
    "format", [name for name, format in FORMATS.items() if format.reasons]
)


@every_format
@given(turns, cuts)
def test_what_was_written_is_what_is_answered(format: str, turn: Any, cut: Any) -> None:
    content, calls = possible(format, *turn)
    answer = replay(PROMPTERS[format], written(format, content, calls), cut)
    assert answer.said == (content, calls)
    assert answer.finish_reason == ("tool_calls" if calls else "stop")


@every_format
def test_control_tokens_in_arguments_are_text(format: str) -> None:
    marks = FORMATS[format].parameters
    end = {marks.close} if marks else set()  # which no string has
    for token in PROMPTERS[format].tokenizer.control_ids.keys() - end:
        calls = [("get", json.dumps({"a": token}, ensure_ascii=False))]
        answer = replay(PROMPTERS[format], written(format, None, calls), "char")
        assert answer.said == (None, calls)


@every_format
@pytest.mark.parametrize("cut", [1, "char", "all"])
def test_text_may_end_with_the_character_for_what_is_none(format: str, cut: Any) -> None:
    answer = replay(PROMPTERS[format], written(format, "Hm \ufffd", []), cut)
    assert answer.said == ("Hm \ufffd", [])


@reasoning_formats
@pytest.mark.parametrize("cut", [1, "char", "all"])
def test_so_may_reasoning(format: str, cut: Any) -> None:
    answer = replay(PROMPTERS[format], written(format, "Hm.", [], "\ufffd"), cut)
    assert answer.message["reasoning_content"] == "\ufffd"
    assert answer.said == ("Hm.", [])


@reasoning_formats
@given(thoughts, turns, cuts)
def test_reasoning_is_told_apart(format: str, thought: str, turn: Any, cut: Any) -> None:
    content, calls = possible(format, *turn)
    answer = replay(PROMPTERS[format], written(format, content, calls, thought), cut)
    assert answer.message["reasoning_content"] == thought
    assert answer.said == (content, calls)


@reasoning_formats
@given(payloads, payloads, cuts)
def test_later_on_its_tags_are_text(format: str, before: str, after: str, cut: Any) -> None:
    text = f"{before} <think> {after}"
    answer = replay(PROMPTERS[format], written(format, text, []), cut)
    assert answer.said == (text, [])
    assert "reasoning_content" not in answer.message


@every_format
@given(st.lists(calls, min_size=1, max_size=3), cuts)
def test_required_calls_are_the_same(format: str, calls: list[tuple[str, str]], cut: Any) -> None:
    _, calls = possible(format, None, calls)
    if calls:
        turn = written(format, None, calls)
        answer = replay(PROMPTERS[format], turn, cut, tool_choice="required")
        assert answer.said == (None, calls)


@every_format
@given(arguments, cuts)
def test_a_named_call_is_the_same(format: str, arguments: str, cut: Any) -> None:
    choice = {"type": "function", "function": {"name": "now"}}
    _, made = possible(format, None, [("now", arguments)])
    turn = written(format, None, made)
    answer = replay(PROMPTERS[format], turn, cut, tool_choice=choice)
    assert answer.said == (None, made)
    assert answer.finish_reason == "stop"


@every_format
@given(payloads, cuts)
def test_with_no_choice_all_is_text(format: str, text: str, cut: Any) -> None:
    text = f'{text}>>>now\n{{}}<function=now>{{}}</function>\n<tool>{{"name": "now"}}'
    answer = replay(PROMPTERS[format], written(format, text, []), cut, tool_choice="none")
    assert answer.said == (text, [])

"""The use cases of Functionary's README, with every format that this server knows."""

import json

import pytest

from tests.api.test_completions import calls, complete
from tests.conftest import scripted_model, serving
from tests.formats import PROMPTERS, written
from tests.use_cases import USE_CASES


@pytest.mark.parametrize("use_case", USE_CASES)
@pytest.mark.parametrize("format", PROMPTERS)
def test_the_call_is_made(format: str, use_case: str) -> None:
    case = USE_CASES[use_case]
    arguments = json.dumps(case.arguments)
    turn = written(format, None, [(case.function, arguments)])
    with serving(scripted_model(PROMPTERS[format], {"turn": turn})) as served:
        answer = complete(
            served, model="m", messages=case.messages, tools=[case.tool], tool_choice="auto"
        )
    assert calls(answer) == [(case.function, arguments)]
    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.choices[0].message.content is None


@pytest.mark.parametrize("use_case", USE_CASES)
@pytest.mark.parametrize("format", PROMPTERS)
def test_the_comment_follows_the_result(format: str, use_case: str) -> None:
    case = USE_CASES[use_case]
    called = {"name": case.function, "arguments": json.dumps(case.arguments)}
    call = {"id": "call_1", "type": "function", "function": called}
    messages = [
        *case.messages[:1],
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": '{"ok": true}'},
    ]
    turn = written(format, "Done.", [])
    with serving(scripted_model(PROMPTERS[format], {"match": '{"ok"', "turn": turn})) as served:
        answer = complete(served, model="m", messages=messages, tools=[case.tool])
    assert answer.choices[0].message.content == "Done."
    assert answer.choices[0].finish_reason == "stop"

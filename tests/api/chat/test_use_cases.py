"""The use cases of Functionary's README, with every format that this server knows."""

import json
from typing import Any

import pytest

from functionary_sgl.turns import FORMATS
from tests.api.chat.test_endpoint import calls, complete
from tests.formats import PROMPTERS, written
from tests.serving import scripted_model, serving
from tests.use_cases import USE_CASES, UseCase


def replies(format: str, case: UseCase) -> list[dict[str, Any]]:
    """What a good model of the format answers to the question, and then to the result."""
    earlier = sum(len(message.get("tool_calls", ())) for message in case.messages)
    made = [(case.function, json.dumps(case.arguments))]
    call = written(format, None, made, called=earlier)
    return [
        {"match": case.messages[0]["content"], "turn": call},
        {"match": f"{case.function} is done", "turn": written(format, "There you are.", [])},
    ]


def with_result(case: UseCase) -> list[dict[str, Any]]:
    """The conversation after the call was made."""
    called = {"name": case.function, "arguments": json.dumps(case.arguments)}
    call = {"id": "call_1", "type": "function", "function": called}
    return [
        case.messages[0],
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": f"{case.function} is done"},
    ]


@pytest.mark.parametrize("format", FORMATS)
def test_the_call_is_made_and_then_the_comment(format: str) -> None:
    script = [reply for case in USE_CASES.values() for reply in replies(format, case)]
    with serving(scripted_model(PROMPTERS[format], *script)) as served:
        for case in USE_CASES.values():
            ask = {"model": "m", "tools": [case.tool], "tool_choice": "auto"}
            called = complete(served, **ask, messages=case.messages)
            assert calls(called) == [(case.function, json.dumps(case.arguments))]
            assert called.choices[0].finish_reason == "tool_calls"
            assert called.choices[0].message.content is None
            told = complete(served, **ask, messages=with_result(case))
            assert told.choices[0].message.content == "There you are."
            assert told.choices[0].finish_reason == "stop"

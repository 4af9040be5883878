"""The use cases of Functionary's README on a real SGLang."""

import json
from typing import Any

import jsonschema
import pytest

from tests.engine.conftest import RunningEngine
from tests.use_cases import USE_CASES


@pytest.mark.parametrize("choice", ["auto", "required"])
@pytest.mark.parametrize("use_case", USE_CASES)
def test_calls_are_valid(engine: RunningEngine, use_case: str, choice: Any) -> None:
    case = USE_CASES[use_case]
    messages: Any = case.messages
    answer = engine.client.chat.completions.create(
        model="functionary-nano",
        messages=messages,
        tools=[case.tool],  # type: ignore[list-item]
        tool_choice=choice,
        parallel_tool_calls=False,
        temperature=1,
        max_tokens=300,
    ).choices[0]
    made: list[Any] = list(answer.message.tool_calls or ())
    assert made or choice == "auto"
    # Requests in words that a small model does not know may make it repeat itself without end.
    assert answer.finish_reason in ("tool_calls" if made else "stop", "length")
    for call in made:
        assert call.function.name == case.function
        if answer.finish_reason != "length":
            jsonschema.validate(json.loads(call.function.arguments), case.schema)

"""Without constraints, what the model writes is an answer."""

import json
from typing import Any

import jsonschema
import pytest

from tests.conftest import WEATHER
from tests.engine.conftest import RunningEngine
from tests.engine.test_same_interpreter import function

ASK: dict[str, Any] = {
    "model": "functionary-nano",
    "messages": [{"role": "user", "content": "What is the weather for Istanbul?"}],
    "tools": [WEATHER],
    "max_tokens": 100,
}


@pytest.mark.parametrize("choice", ["auto", "required"])
def test_what_the_model_has_learned_it_does_without_a_grammar(
    engine: RunningEngine, choice: Any
) -> None:
    request = {**ASK, "tool_choice": choice, "temperature": 0}
    off, on = (
        engine.client_as(name).chat.completions.create(**request) for name in ("off", "v3.llama3")
    )
    assert [call.function for call in off.choices[0].message.tool_calls or ()] == [
        call.function for call in on.choices[0].message.tool_calls or ()
    ]
    assert off.choices[0].finish_reason == on.choices[0].finish_reason == "tool_calls"


def test_whatever_the_model_writes_is_an_answer(engine: RunningEngine) -> None:
    """Hot enough for it to write anything; a failure would be an exception of the client's."""
    client = engine.client_as("off")
    made = []
    for seed, temperature in enumerate((1.0, 1.3, 1.6, 2.0)):
        for choice in ("auto", "required"):
            request: Any = {**ASK, "temperature": temperature, "tool_choice": choice, "seed": seed}
            answer = client.chat.completions.create(**request).choices[0]
            assert answer.finish_reason in ("stop", "tool_calls", "length")
            calls = answer.message.tool_calls or []
            made += [call.function.arguments for call in calls if call.type == "function"]
            chunks = list(client.chat.completions.create(**request, stream=True))
            assert chunks[-1].choices[0].finish_reason
    assert made


def test_strict_tools_are_valid_all_the_same(engine: RunningEngine) -> None:
    tool = function("book_trip", days={"type": "integer"}, kind={"enum": ["economy"]})
    tool["function"]["strict"] = True
    request = {**ASK, "tools": [tool], "tool_choice": "required", "parallel_tool_calls": False}
    answer = engine.client_as("off").chat.completions.create(**request).choices[0]
    (call,) = answer.message.tool_calls or ()
    assert call.type == "function"
    jsonschema.validate(json.loads(call.function.arguments), tool["function"]["parameters"])

"""Programs of other formats on the real engine: valid calls, even from random weights."""

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jsonschema
import pytest

from tests.conftest import WEATHER
from tests.engine.conftest import RunningEngine
from tests.engine.test_same_interpreter import function

TOOLS = [WEATHER, function("book_trip", days={"type": "integer"}, kind={"enum": ["economy"]})]
SCHEMAS = {tool["function"]["name"]: tool["function"]["parameters"] for tool in TOOLS}


def check(call: Any) -> None:
    jsonschema.validate(json.loads(call.function.arguments), SCHEMAS[call.function.name])


FORMATS = (
    *("v3-llama3.1", "v2.llama3", "tool-call", "qwen3-coder", "minimax-m2"),
    *("glm-4.5", "glm-4.7", "gpt-oss", "kimi-k2", "pythonic", "lfm2"),
)
CHOICES = ("required", "book_trip")
SEEDS = (1, 2)


def answer(engine: RunningEngine, format: str, choice: str, seed: int) -> Any:
    named = {"type": "function", "function": {"name": choice}}
    request: Any = {
        "model": "functionary-nano",
        "messages": [{"role": "user", "content": "Book a trip to Rome."}],
        "tools": TOOLS,
        "tool_choice": named if choice in SCHEMAS else choice,
        "parallel_tool_calls": False,
        "seed": seed,
        "max_tokens": 300,
        # It would hardly end its thoughts.
        "reasoning_effort": "none",
    }
    return engine.client_as(format).chat.completions.create(**request).choices[0]


@pytest.fixture(scope="module")
def answers(engine: RunningEngine) -> dict[tuple[str, str, int], Any]:
    """All at once: answers without end take a while."""
    cases = list(itertools.product(FORMATS, CHOICES, SEEDS))
    with ThreadPoolExecutor(len(cases)) as pool:
        return dict(zip(cases, pool.map(lambda case: answer(engine, *case), cases), strict=True))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("format", FORMATS)
def test_calls_are_valid(answers: Any, format: str, choice: str, seed: int) -> None:
    answer = answers[format, choice, seed]
    (call,) = answer.message.tool_calls or ()
    assert choice in ("required", call.function.name)
    # A small model in a format that it does not know may repeat itself without end.
    if answer.finish_reason != "length":
        check(call)


def test_code_inside_json_is_code(engine: RunningEngine) -> None:
    answer = engine.client_as("tool-call").chat.completions.create(
        model="functionary-nano",
        messages=[{"role": "user", "content": "Add 1 and 1."}],
        tools=[{"type": "code_interpreter"}],  # type: ignore[list-item]
        tool_choice="required",
        parallel_tool_calls=False,
        max_tokens=60,
    )
    (call,) = answer.choices[0].message.tool_calls or ()
    assert call.type == "function"
    assert call.function.name == "python"
    assert not call.function.arguments.startswith(('{"code"', '"'))

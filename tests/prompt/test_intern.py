import json
import random
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functionary_sgl.api.chat import intake
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.chat.tools import Tool
from functionary_sgl.prompt.intern import KNOWN_CHARACTERS, ToolMemory
from functionary_sgl.prompt.prompter import Prompter
from functionary_sgl.turns import FORMATS
from tests.conftest import WEATHER
from tests.formats import PROMPTERS, own_template

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner),
)


def shuffled(value: Any, chance: random.Random) -> Any:
    """`value` with the keys of all its objects in another order."""
    if isinstance(value, list):
        return [shuffled(item, chance) for item in value]
    if isinstance(value, dict):
        keys = chance.sample(list(value), len(value))
        return {key: shuffled(value[key], chance) for key in keys}
    return value


@given(st.dictionaries(st.text(max_size=2), values), st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_count(parameters: Any, chance: random.Random) -> None:
    memory = ToolMemory()
    first = memory.first(Tool("f", "", json.dumps(parameters)))
    again = memory.first(Tool("f", "", json.dumps(shuffled(parameters, chance))))
    assert again.parameters_json == first.parameters_json


@pytest.mark.parametrize(
    "other", [Tool("g"), Tool("f", "d"), Tool("f", "", '{"a": [2, 1]}'), Tool("f", "", '{"b": 1}')]
)
def test_all_else_does(other: Tool) -> None:
    memory = ToolMemory()
    memory.first(Tool("f", "", '{"a": [1, 2]}'))
    assert memory.first(other) == other


def test_errors_name_the_place_in_this_request() -> None:
    memory = ToolMemory()
    memory.first(Tool("f", path="tools[0].function"))
    assert memory.first(Tool("f", path="tools[7].function")).path == "tools[7].function"


def test_many_large_tools_take_bounded_memory() -> None:
    """Also those that the gate will refuse: tools come here first."""
    memory = ToolMemory()
    tracemalloc.start()
    for index in range(60):
        text = json.dumps({"const": f"{index} " + "x" * 1_000_000})
        assert memory.first(Tool(f"f{index}", "", text)).parameters_json == text
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken < 40_000_000


def test_a_tool_larger_than_the_memory_is_left_as_it_is() -> None:
    text = json.dumps({"b": "x" * KNOWN_CHARACTERS, "a": 1})
    memory = ToolMemory()
    assert memory.first(Tool("f", "", text)).parameters_json == text


@pytest.mark.parametrize("format", FORMATS)
def test_same_tools_give_the_same_prompt(format: str) -> None:
    prompter = Prompter(FORMATS[format], PROMPTERS[format].tokenizer, own_template(FORMATS[format]))

    def prompt(tool: Any) -> str:
        messages = [{"role": "user", "content": "Hi"}]
        request = ChatRequest.from_json(
            json.dumps({"model": "m", "messages": messages, "tools": [tool]})
        )
        return prompter.prompt(intake.conversation(request))

    first = prompt(WEATHER)
    for seed in range(5):
        assert prompt(shuffled(WEATHER, random.Random(seed))) == first

"""What is counted is what is read."""

from typing import Any

import pytest

from functionary_sgl.turns import FORMATS
from tests.api.messages.asking import ASK, HI, NAME, TOOL, ask
from tests.formats import PROMPTERS, written
from tests.serving import scripted_model, serving

FORM = {"type": "json_schema", "schema": {"type": "object"}}
USE = {"type": "tool_use", "id": "toolu_1", "name": NAME, "input": {"location": "Oslo"}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "31 degrees"}
REQUESTS: list[dict[str, Any]] = [
    {},
    {"tools": []},
    {"system": "Be brief.", "tool_choice": {"type": "none"}},
    {"tool_choice": {"type": "any"}},
    {"tool_choice": {"type": "tool", "name": NAME}},
    {"tools": [], "output_config": {"format": FORM}},
    {"thinking": {"type": "disabled"}},
    {"messages": [HI, {"role": "assistant", "content": "It is"}]},
    {
        "messages": [
            HI,
            {"role": "assistant", "content": [USE]},
            {"role": "user", "content": [RESULT]},
        ]
    },
]


@pytest.mark.parametrize("format", FORMATS)
def test_as_many_as_the_answers_usage_says(format: str) -> None:
    turn = written(format, "Hello", [])
    with serving(scripted_model(PROMPTERS[format], {"turn": turn})) as served:
        for fields in REQUESTS:
            answer = ask(served, **fields)
            counted = ask(served, "/v1/messages/count_tokens", **fields)
            assert counted.status_code == answer.status_code, counted.text
            if answer.status_code == 400:
                assert counted.json()["error"] == answer.json()["error"]
                continue
            usage = answer.json()["usage"]
            read = usage["input_tokens"] + usage["cache_read_input_tokens"]
            assert counted.json() == {"input_tokens": read}, fields


def test_the_client_counts() -> None:
    with serving(scripted_model(PROMPTERS["v3.llama3"], {"turn": "all\nHello"})) as served:
        few, many = (
            served.anthropic.messages.count_tokens(
                model="m", messages=[{"role": "user", "content": "Hi"}], tools=tools
            ).input_tokens
            for tools in ([], [TOOL])
        )
        assert 0 < few < many
        assert ask(served, "/v1/messages/count_tokens", stream=True).status_code == 200
        with served.anthropic.messages.stream(**ASK) as stream:
            begun = next(iter(stream))
        assert begun.type == "message_start"
        assert begun.message.usage.input_tokens == (
            served.anthropic.messages.count_tokens(
                **{name: ASK[name] for name in ("model", "messages", "tools")}
            ).input_tokens
        )

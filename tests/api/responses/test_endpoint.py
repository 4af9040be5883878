"""Responses as OpenAI's own client sees them."""

import json
from collections.abc import Callable
from typing import Any

import openai
import pydantic
import pytest

from tests.api.responses.asking import ASK, CALL, NAME, TOOL, ask, respond, said
from tests.formats import PROMPTERS, written
from tests.serving import Served, scripted_model, serving

Serve = Callable[..., Served]
SHELL = {"type": "custom", "name": "shell", "description": "Runs a command."}


def test_text(serve: Serve) -> None:
    answer = respond(serve({"turn": "all\nHello!"}), **ASK)
    assert said(answer) == [("message", "Hello!")]
    assert answer.output_text == "Hello!"
    assert answer.status == "completed"
    assert answer.id.startswith("resp_")


@pytest.mark.parametrize("chunk", [1, "char", "all"])
def test_text_and_parallel_calls(serve: Serve, chunk: Any) -> None:
    turn = f"all\nLet me see.>>>{CALL}>>>{CALL.replace('Istanbul', 'Oslo')}"
    answer = respond(serve({"turn": turn, "chunk": chunk}), **ASK)
    assert said(answer) == [
        ("message", "Let me see."),
        ("function_call", NAME, '{"location": "Istanbul"}'),
        ("function_call", NAME, '{"location": "Oslo"}'),
    ]
    calls = [item.to_dict() for item in answer.output[1:]]
    assert len({call["call_id"] for call in calls}) == 2
    assert all(str(call["call_id"]).startswith("call_") for call in calls)
    assert all(str(call["id"]).startswith("fc_") for call in calls)


def test_a_custom_tool(serve: Serve) -> None:
    turn = "shell\n" + json.dumps({"input": 'ls "a"'})
    answer = respond(serve({"turn": turn}), **{**ASK, "tools": [TOOL, SHELL]})
    assert said(answer) == [("custom_tool_call", "shell", 'ls "a"')]
    grammar = {"type": "grammar", "syntax": "regex", "definition": "ls [a-z]"}
    held = [{**SHELL, "format": grammar}]
    answer = respond(serve({"turn": turn}), **{**ASK, "tools": held})
    ((_, _, text),) = said(answer)
    assert text.startswith("ls ")
    assert text != 'ls "a"'
    assert answer.tools[0].to_dict() == {**held[0]}


def test_reasoning_is_an_item_and_its_tokens_are_counted() -> None:
    turn = written("hermes", "Hello.", [], "They greet me.")
    with serving(scripted_model(PROMPTERS["hermes"], {"turn": turn})) as served:
        answer = respond(served, model="m", input="Hi", reasoning={"effort": "high"})
        assert said(answer) == [("reasoning", "They greet me."), ("message", "Hello.")]
        assert answer.usage is not None
        spent = answer.usage.output_tokens_details.reasoning_tokens
        assert 0 < spent < answer.usage.output_tokens
        answer = respond(served, model="m", input="Hi", reasoning={"effort": "none"})
        assert answer.usage is not None
        assert answer.usage.output_tokens_details.reasoning_tokens == 0
        assert answer.reasoning is not None
        assert answer.reasoning.effort == "none"


def test_logprobs_are_those_of_the_text_behind_reasoning_and_before_a_call() -> None:
    turn = written("hermes", "Hello there.", [(NAME, "{}")], "They greet me.")
    with serving(scripted_model(PROMPTERS["hermes"], {"turn": turn})) as served:
        answer = respond(served, **ASK, top_logprobs=0)
        assert [item.type for item in answer.output] == ["reasoning", "message", "function_call"]
        (part,) = answer.output[1].to_dict()["content"]
        assert "".join(entry["token"] for entry in part["logprobs"]).strip() == "Hello there."


class Day(pydantic.BaseModel):
    name: str
    number: int


def test_the_client_parses_a_form(serve: Serve) -> None:
    served = serve({"turn": 'all\n{"name": "Monday", "number": 1}'})
    answer = served.client.responses.parse(model="m", input="A day?", text_format=Day)
    assert answer.output_parsed == Day(name="Monday", number=1)
    assert answer.text is not None
    assert answer.text.format is not None
    assert answer.text.format.type == "json_schema"
    with served.client.responses.stream(model="m", input="A day?", text_format=Day) as stream:
        for _ in stream:
            pass
        assert stream.get_final_response().output_parsed == Day(name="Monday", number=1)


def test_a_form_is_kept(serve: Serve) -> None:
    served = serve({"turn": "all\nSorry."})
    answer = respond(served, model="m", input="Hi", text={"format": {"type": "json_object"}})
    assert isinstance(json.loads(answer.output_text), dict)
    form = {"type": "json_schema", "name": "n", "schema": {"type": "integer"}, "strict": True}
    answer = respond(served, model="m", input="Hi", text={"format": form})
    assert isinstance(json.loads(answer.output_text), int)


@pytest.mark.parametrize(
    ("choice", "turn", "expected"),
    [
        ("auto", CALL, "function_call"),
        ("required", "all\nNo.", "function_call"),
        ("none", CALL, "message"),
        ({"type": "function", "name": NAME}, "all\nNo.", "function_call"),
        ({"type": "custom", "name": "shell"}, CALL, "custom_tool_call"),
        (
            {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "custom", "name": "shell"}],
            },
            CALL,
            "custom_tool_call",
        ),
    ],
)
def test_tool_choice(serve: Serve, choice: Any, turn: str, expected: str) -> None:
    answer = respond(serve({"turn": turn}), **{**ASK, "tools": [TOOL, SHELL]}, tool_choice=choice)
    assert answer.output[0].type == expected
    echoed = answer.tool_choice if isinstance(choice, str) else answer.tool_choice.to_dict()
    assert echoed == choice


def test_one_call_where_that_is_asked_for(serve: Serve) -> None:
    answer = respond(serve({"turn": f"{CALL}>>>{CALL}"}), **ASK, parallel_tool_calls=False)
    assert len(answer.output) == 1
    assert answer.parallel_tool_calls is False


@pytest.mark.parametrize(("turn", "kind"), [("all\nOne two three", "message"), (CALL, NAME)])
def test_what_the_budget_cuts_is_incomplete(serve: Serve, turn: str, kind: str) -> None:
    answer = respond(serve({"turn": turn}), **ASK, max_output_tokens=5)
    assert answer.status == "incomplete"
    assert answer.incomplete_details is not None
    assert answer.incomplete_details.reason == "max_output_tokens"
    assert answer.output[-1].to_dict()["status"] == "incomplete"
    assert answer.max_output_tokens == 5


def test_logprobs_are_told_of_text(serve: Serve) -> None:
    served = serve({"turn": "all\nHello there"})
    answer = respond(served, model="m", input="Hi", top_logprobs=1)
    (part,) = answer.output[0].to_dict()["content"]
    entries: Any = part["logprobs"]
    assert "".join(entry["token"] for entry in entries) == "Hello there"
    assert all(len(entry["top_logprobs"]) == 1 for entry in entries)
    included = respond(served, model="m", input="Hi", include=["message.output_text.logprobs"])
    (part,) = included.output[0].to_dict()["content"]
    assert [entry["top_logprobs"] for entry in part["logprobs"]] == [[], []]


def test_what_was_asked_for_is_told(serve: Serve) -> None:
    fields: dict[str, Any] = {
        "instructions": "Be brief.",
        "metadata": {"a": "b"},
        "temperature": 0.5,
        "top_p": 0.5,
        "truncation": "auto",
        "max_tool_calls": 3,
        "user": "u",
        "safety_identifier": "s",
        "prompt_cache_key": "k",
        "store": False,
    }
    answer = respond(serve({"turn": "all\nHello!"}), **ASK, **fields).to_dict()
    assert {name: answer[name] for name in fields} == fields


def test_a_turn_that_says_nothing_is_an_empty_message(serve: Serve) -> None:
    answer = respond(serve({"turn": "all\n"}), model="m", input="Hi")
    assert said(answer) == [("message", "")]


def test_what_fails_before_the_first_event_has_a_status(serve: Serve) -> None:
    served = serve({"turn": "all\nHello!", "fault": "fail"})
    for stream in (True, False):
        answer = ask(served, stream=stream)
        assert answer.status_code == 500
        assert answer.json()["error"]["type"] == "server_error"


def test_what_fails_later_is_an_event(serve: Serve) -> None:
    served = serve({"turn": "all\nHello there!", "fault": "fail", "after": 2})
    events = list(served.client.responses.create(model="m", input="Hi", stream=True))
    assert events[-1].type == "response.failed"
    assert events[-1].response.error is not None
    assert events[-1].response.error.code == "server_error"
    assert "failed" in events[-1].response.error.message
    with pytest.raises(openai.InternalServerError):
        served.client.responses.create(model="m", input="Hi")

"""Invariant: the stream, folded by openai-python's own helper, is the answer that is not streamed,
for every way to cut the engine's output, and both are what the model meant."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai import omit
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import Response

from functionary_sgl.api.responses import intake
from functionary_sgl.api.responses.events import ResponseEvents
from functionary_sgl.api.responses.head import head
from functionary_sgl.api.responses.requests import ResponsesRequest
from functionary_sgl.api.sampling import sampling
from functionary_sgl.prompt.prompter import Prompter
from functionary_sgl.turns import FORMATS
from tests.contract_responses import EVENTS
from tests.formats import PROMPTERS, possible, written
from tests.replay import NAMES, OPEN, cuts, payloads, runner, thoughts, turns
from tests.serving import scripted_model

CUSTOM = {"type": "custom", "name": "shell"}
TOOLS = [*({"type": "function", "name": name, "parameters": OPEN} for name in NAMES), CUSTOM]
SCENARIOS = Path(__file__).parents[2] / "clients" / "scenarios.json"

every_format = pytest.mark.parametrize("format", FORMATS)


def streamed(prompter: Prompter, turn: str, cut: Any, **fields: Any) -> list[dict[str, Any]]:
    """The events of a response for which the raw `turn` is replayed, cut so."""
    body = {"input": "Hi", "tools": TOOLS, **fields}
    request = ResponsesRequest.from_json(json.dumps(body))
    conversation = intake.conversation(request, request.items())
    model = scripted_model(prompter, {"turn": turn, "chunk": cut})

    async def run() -> list[dict[str, Any]]:
        drawing = sampling(request, {})
        prepared = await model.prepare(conversation, drawing, request.max_output_tokens)
        made = ResponseEvents(head(request, conversation, drawing, "m"))
        return [
            told async for event in model.run(conversation, prepared) for told in made.of(event)
        ]

    return runner().run(run())


def folded(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items that openai-python's helper makes of the pieces, without its own fields. It leaves
    the pieces of reasoning and of custom tools to its users, who do as is done here."""
    state: Any = ResponseStreamState(input_tools=omit, text_format=omit)
    others: dict[int, str] = {}
    for event in events:
        state.handle_event(EVENTS[event["type"]].model_validate(event))
        if event["type"] in ("response.reasoning_text.delta", CUSTOM_DELTA):
            index = event["output_index"]
            others[index] = others.get(index, "") + event["delta"]
    snapshot: Response = state._ResponseStreamState__current_snapshot
    items = [item.to_dict(warnings=False) for item in snapshot.output]
    return [_said(item, others.get(index, "")) for index, item in enumerate(items)]


CUSTOM_DELTA = "response.custom_tool_call_input.delta"


def _said(item: dict[str, Any], more: str = "") -> dict[str, Any]:
    told = {key: item.get(key) for key in ("id", "type", "call_id", "name")}
    match item["type"]:
        case "function_call":
            return {**told, "text": item["arguments"]}
        case "custom_tool_call":
            return {**told, "text": item["input"] + more}
    return {**told, "text": more or "".join(part["text"] for part in item["content"])}


def meant(events: list[dict[str, Any]]) -> tuple[str | None, list[tuple[str, str]], str | None]:
    """Content, calls and reasoning, if what the pieces add up to is the whole response."""
    whole = events[-1]["response"]["output"]
    assert folded(events) == [_said(item) for item in whole]
    texts: dict[str, str] = {}
    calls = []
    for item in map(_said, whole):
        if item["type"] in ("message", "reasoning"):
            texts[item["type"]] = texts.get(item["type"], "") + item["text"]
        else:
            calls.append((item["name"], item["text"]))
    return texts.get("message"), calls, texts.get("reasoning")


@every_format
@given(turns, cuts)
def test_what_was_written_is_what_is_answered(format: str, turn: Any, cut: Any) -> None:
    content, calls = turn
    calls = [call for call in calls if call[0] != "python"]  # a tool of Chat Completions
    if not (content or calls):
        return
    content, calls = possible(format, content, calls)
    events = streamed(PROMPTERS[format], written(format, content, calls), cut)
    assert meant(events) == (content, calls, None)
    assert events[-1]["type"] == "response.completed"


@pytest.mark.parametrize("format", [name for name, kind in FORMATS.items() if kind.reasons])
@given(thoughts, payloads, cuts)
def test_reasoning_is_told_apart(format: str, thought: str, text: str, cut: Any) -> None:
    events = streamed(PROMPTERS[format], written(format, text, [], thought), cut)
    assert meant(events) == (text, [], thought)
    usage = events[-1]["response"]["usage"]
    assert 0 < usage["output_tokens_details"]["reasoning_tokens"] < usage["output_tokens"]


@every_format
@settings(max_examples=5)
@given(st.text('ab"\\\n🙂', min_size=1, max_size=9), cuts)
def test_custom_tools_get_their_text(format: str, text: str, cut: Any) -> None:
    arguments = json.dumps({"input": text}, ensure_ascii=False)
    events = streamed(PROMPTERS[format], written(format, None, [("shell", arguments)]), cut)
    assert meant(events) == (None, [("shell", text)], None)


@every_format
@settings(max_examples=5)
@given(turns, st.integers(1, 20), cuts)
def test_so_it_is_where_the_budget_ends(format: str, turn: Any, most: int, cut: Any) -> None:
    content, calls = possible(format, turn[0], [c for c in turn[1] if c[0] != "python"])
    raw = written(format, content, calls)
    events = streamed(PROMPTERS[format], raw, cut, max_output_tokens=most)
    meant(events)
    whole = events[-1]["response"]
    assert events[-1]["type"] == f"response.{whole['status']}"


@pytest.mark.parametrize("scenario", json.loads(SCENARIOS.read_text("utf-8"))["scenarios"])
@pytest.mark.parametrize("cut", [1, "char", "all", [1, 2, 3]])
def test_the_scenarios_of_the_clients(scenario: dict[str, Any], cut: Any) -> None:
    known = json.loads(SCENARIOS.read_text("utf-8"))["tools"]
    names = [name for name in scenario.get("tools", ()) if known[name]["type"] == "function"]
    tools = [{"type": "function", **known[name]["function"]} for name in names]
    meant(streamed(PROMPTERS["v3.llama3"], scenario["turn"], cut, tools=tools))

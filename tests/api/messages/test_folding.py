"""Invariant: the stream, folded by anthropic-python's own helper, is the answer that is whole from
the beginning, for every way to cut the engine's output, and both are what the model meant."""

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from anthropic.lib.streaming._messages import accumulate_event
from hypothesis import given, settings
from hypothesis import strategies as st

from functionary_sgl.api.messages import intake
from functionary_sgl.api.messages.answer import head, omits
from functionary_sgl.api.messages.events import MessageEvents
from functionary_sgl.api.messages.fold import Fold
from functionary_sgl.api.messages.requests import MessagesRequest
from functionary_sgl.prompt.prompter import Prompter
from functionary_sgl.turns import FORMATS
from tests.contract_messages import EVENTS
from tests.formats import PROMPTERS, possible, written
from tests.replay import NAMES, OPEN, cuts, payloads, runner, thoughts, turns
from tests.serving import scripted_model

TOOLS = [{"name": name, "input_schema": OPEN} for name in NAMES]
SCENARIOS = Path(__file__).parents[2] / "clients" / "scenarios.json"

every_format = pytest.mark.parametrize("format", FORMATS)


def streamed(prompter: Prompter, turn: str, cut: Any, **fields: Any) -> list[dict[str, Any]]:
    """The events of a message for which the raw `turn` is replayed, cut so."""
    messages = [{"role": "user", "content": "Hi"}]
    body = {"max_tokens": 4096, "messages": messages, "tools": TOOLS, **fields}
    request = MessagesRequest.from_json(json.dumps(body))
    conversation = intake.conversation(request)
    model = scripted_model(prompter, {"turn": turn, "chunk": cut})

    async def run() -> list[dict[str, Any]]:
        drawing = intake.sampling(request, {})
        prepared = await model.prepare(conversation, drawing, request.max_tokens)
        begun = head(request, "m", prepared.taken)
        made = MessageEvents(begun, full=False, omits=omits(request))
        return [
            told async for event in model.run(conversation, prepared) for told in made.of(event)
        ]

    return runner().run(run())


def folded(events: list[dict[str, Any]]) -> dict[str, Any]:
    """What anthropic-python's helper makes of the events."""
    snapshot: Any = None
    inputs: dict[int, bytes] = {}
    for event in events:
        if event["type"] != "ping":
            built: Any = EVENTS[event["type"]].model_validate(event)
            snapshot = accumulate_event(event=built, current_snapshot=snapshot, json_bufs=inputs)
    message: dict[str, Any] = snapshot.to_dict(mode="json", warnings=False)
    return message


def whole(events: list[dict[str, Any]]) -> dict[str, Any]:
    """What we make of them."""
    fold = Fold()
    for event in events:
        fold.add(event)
    message: dict[str, Any] = orjson.loads(orjson.dumps(fold.completion()))
    return message


def meant(events: list[dict[str, Any]]) -> tuple[str | None, list[tuple[str, Any]], str | None]:
    """Content, calls and reasoning, if what the pieces add up to is the whole message."""
    message = whole(events)
    assert folded(events) == message
    texts: dict[str, str] = {}
    calls = []
    for block in message["content"]:
        if block["type"] == "tool_use":
            calls.append((block["name"], block["input"]))
        else:
            texts[block["type"]] = texts.get(block["type"], "") + block[block["type"]]
    return texts.get("text"), calls, texts.get("thinking")


@every_format
@given(turns, cuts)
def test_what_was_written_is_what_is_answered(format: str, turn: Any, cut: Any) -> None:
    content, calls = turn
    calls = [call for call in calls if call[0] != "python"]  # a tool of Chat Completions
    if not (content or calls):
        return
    content, calls = possible(format, content, calls)
    events = streamed(PROMPTERS[format], written(format, content, calls), cut)
    values = [(name, json.loads(arguments)) for name, arguments in calls]
    assert meant(events) == (content, values, None)
    assert whole(events)["stop_reason"] == ("tool_use" if calls else "end_turn")


@pytest.mark.parametrize("format", [name for name, kind in FORMATS.items() if kind.reasons])
@given(thoughts, payloads, cuts)
def test_reasoning_is_told_apart(format: str, thought: str, text: str, cut: Any) -> None:
    turn = written(format, text, [], thought)
    events = streamed(PROMPTERS[format], turn, cut)
    assert meant(events) == (text, [], thought)
    usage = whole(events)["usage"]
    assert 0 < usage["output_tokens_details"]["thinking_tokens"] < usage["output_tokens"]
    omitted = {"type": "adaptive", "display": "omitted"}
    assert meant(streamed(PROMPTERS[format], turn, cut, thinking=omitted)) == (text, [], "")


@every_format
@settings(max_examples=5)
@given(turns, st.integers(1, 20), cuts)
def test_so_it_is_where_the_budget_ends(format: str, turn: Any, most: int, cut: Any) -> None:
    content, calls = possible(format, turn[0], [c for c in turn[1] if c[0] != "python"])
    raw = written(format, content, calls)
    events = streamed(PROMPTERS[format], raw, cut, max_tokens=most)
    meant(events)
    assert whole(events)["stop_reason"] in ("max_tokens", "tool_use", "end_turn")


@every_format
@settings(max_examples=5)
@given(payloads, st.integers(0, 9), cuts)
def test_a_stop_sequence_ends_the_text(format: str, text: str, at: int, cut: Any) -> None:
    stop = text[at : at + 2]
    if not stop.strip():
        return
    events = streamed(PROMPTERS[format], written(format, text, []), cut, stop_sequences=[stop])
    content, _, _ = meant(events)
    assert whole(events)["stop_reason"] == "stop_sequence"
    assert whole(events)["stop_sequence"] == stop
    assert (content or "").rstrip() == text[: text.index(stop)].rstrip()


@pytest.mark.parametrize("scenario", json.loads(SCENARIOS.read_text("utf-8"))["scenarios"])
@pytest.mark.parametrize("cut", [1, "char", "all", [1, 2, 3]])
def test_the_scenarios_of_the_clients(scenario: dict[str, Any], cut: Any) -> None:
    known = json.loads(SCENARIOS.read_text("utf-8"))["tools"]
    names = [name for name in scenario.get("tools", ()) if known[name]["type"] == "function"]
    functions = [known[name]["function"] for name in names]
    tools = [
        {"name": each["name"], "input_schema": each.get("parameters") or {"type": "object"}}
        for each in functions
    ]
    meant(streamed(PROMPTERS["v3.llama3"], scenario["turn"], cut, tools=tools))

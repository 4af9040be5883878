"""Budgets, stops and endings of single turns."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from functionary_sgl.api.chat import intake
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.chat.conversation import Conversation
from functionary_sgl.engines.base import Chunk, Request
from functionary_sgl.engines.scripted import ScriptedEngine
from functionary_sgl.errors import EngineError
from functionary_sgl.model import Model
from functionary_sgl.prompt.prompter import Prompter
from functionary_sgl.runtime.events import Addressed, Delta, Ended, Event, Opened
from functionary_sgl.turns import FORMATS
from tests.conftest import WEATHER
from tests.formats import PROMPTERS, written
from tests.serving import scripted_model

CALL = 'get_current_weather\n{"location": "Rome"}'


def conversation(**fields: Any) -> tuple[Conversation, Any]:
    messages = [{"role": "user", "content": "Hi"}]
    body = {"model": "m", "messages": messages, "tools": [WEATHER], **fields}
    request = ChatRequest.from_json(json.dumps(body))
    return intake.conversation(request), intake.sampling(request, {})


async def collected(model: Model, max_tokens: int | None = None, **fields: Any) -> list[Event]:
    asked, sampling = conversation(**fields)
    turn = await model.prepare(asked, sampling, max_tokens)
    return [event async for event in model.run(asked, turn)]


def events(
    prompter: Prompter,
    turn: str,
    chunk: Any = 1,
    max_tokens: int | None = None,
    **fields: Any,
) -> list[Event]:
    model = scripted_model(prompter, {"turn": turn, "chunk": chunk})
    return asyncio.run(collected(model, max_tokens, **fields))


def text(happened: list[Event], role: str = "content") -> str:
    return "".join(e.text for e in happened if isinstance(e, Delta) and e.role == role)


def ended(happened: list[Event]) -> Ended:
    last = happened[-1]
    assert isinstance(last, Ended)
    return last


def test_a_call_is_addressed_opened_and_told(prompter: Prompter) -> None:
    happened = events(prompter, CALL, "all")
    assert happened[:3] == [
        Addressed("get_current_weather"),
        Opened("arguments"),
        Delta("arguments", '{"location": "Rome"}'),
    ]
    assert ended(happened).reason == "stop"


@pytest.mark.parametrize("budget", range(1, 20))
def test_the_budget_is_shared_by_all_generations(prompter: Prompter, budget: int) -> None:
    full = ended(events(prompter, f"all\nWell.>>>{CALL}"))
    happened = events(prompter, f"all\nWell.>>>{CALL}", max_tokens=budget)
    fits = full.usage.completion_tokens <= budget
    assert ended(happened).usage.completion_tokens <= budget
    assert ended(happened).reason == ("stop" if fits else "length")
    assert '{"location": "Rome"}'.startswith(text(happened, "arguments"))


def test_the_last_token_of_the_budget_is_not_lost(prompter: Prompter) -> None:
    happened = events(prompter, "all\none two three four five", max_tokens=6)
    assert ended(happened).reason == "length"
    assert ended(happened).usage.completion_tokens == 6
    kept = ended(happened).token_ids[-4:]
    assert prompter.tokenizer.decode(list(kept)) == text(happened)


@pytest.mark.parametrize("chunk", [1, 3, "char", "all", [4, 2, 9]])
def test_the_clients_stop_ends_text_and_is_left_out(prompter: Prompter, chunk: Any) -> None:
    happened = events(prompter, "all\none, two, three", chunk, stop=[", tw", "xx"])
    assert text(happened) == "one"
    assert ended(happened).reason == "stop"


def test_the_clients_stop_leaves_arguments_alone(prompter: Prompter) -> None:
    happened = events(prompter, CALL, stop=["Rome", '"'])
    assert text(happened, "arguments") == '{"location": "Rome"}'


def test_a_stop_inside_a_token_goes_back_to_its_start(prompter: Prompter) -> None:
    """What the stop string shares a token with stays text, and is tokenized with what follows."""
    tokenizer = prompter.tokenizer
    marker_with_dots = tokenizer.encode("...>>>get")
    assert len(marker_with_dots) < len(tokenizer.encode("...") + tokenizer.encode(">>>get"))
    happened = events(prompter, f"all\nSee...>>>{CALL}")
    assert text(happened) == "See..."
    turn = list(ended(happened).token_ids)
    written = turn[len(turn) - ended(happened).usage.completion_tokens :]
    assert tokenizer.decode(written) == f"all\nSee...>>>{CALL}<|eot_id|>"
    assert tokenizer.encode(f"all\nSee...>>>{CALL}") == written[:-1]


def test_texts_for_the_user_stand_on_lines_of_their_own(prompter: Prompter) -> None:
    assert text(events(prompter, "all\nA>>>all\nB")) == "A\nB"


def test_text_may_follow_a_call(prompter: Prompter) -> None:
    happened = events(prompter, f"{CALL}>>>all\nDone")
    assert text(happened) == "Done"
    assert text(happened, "arguments") == '{"location": "Rome"}'


def test_one_call_ends_the_turn_where_calls_are_not_parallel(prompter: Prompter) -> None:
    happened = events(prompter, f"{CALL}>>>{CALL}", parallel_tool_calls=False)
    assert sum(isinstance(event, Opened) for event in happened) == 1


@pytest.mark.parametrize("turn", ["", "<|eot_id|>", "all\n", "all\n  \n"])
def test_an_empty_turn_says_nothing(prompter: Prompter, turn: str) -> None:
    happened = events(prompter, turn)
    assert text(happened) == ""
    assert ended(happened).reason == "stop"


def test_a_name_that_is_not_on_offer_cannot_be_called(prompter: Prompter) -> None:
    happened = events(prompter, "unknown_function\n{}", tool_choice="required")
    assert Addressed("get_current_weather") in happened
    assert json.loads(text(happened, "arguments")).keys() == {"location"}


def test_closing_a_turn_stops_its_generation(prompter: Prompter) -> None:
    """Invariant: a client that leaves stops its turn at once, also where the engine is silent."""
    reply = {"turn": "all\n" + "word " * 100, "fault": "stall", "after": 3}
    model = scripted_model(prompter, reply)
    engine = model.engine
    assert isinstance(engine, ScriptedEngine)

    async def leave_in_the_middle() -> None:
        task = asyncio.ensure_future(collected(model))
        while not engine.running:  # noqa: ASYNC110
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(leave_in_the_middle())
    assert engine.running == 0


def test_closing_a_turn_between_generations_ends_its_program(prompter: Prompter) -> None:
    model = scripted_model(prompter, {"turn": f"{CALL}>>>{CALL}"})

    async def leave_after_the_first_call() -> None:
        asked, sampling = conversation()
        run = model.run(asked, await model.prepare(asked, sampling, None))
        async for event in run:
            if isinstance(event, Delta) and event.text.endswith("}"):
                break
        await run.aclose()

    asyncio.run(leave_after_the_first_call())
    engine = model.engine
    assert isinstance(engine, ScriptedEngine)
    assert engine.running == 0


@pytest.mark.parametrize(("choice", "barred"), [("required", True), ("auto", False)])
@pytest.mark.parametrize("format", [name for name, kind in FORMATS.items() if kind.reasons])
def test_reasoning_does_not_end_a_turn_that_has_to_call(
    format: str, choice: str, barred: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Request] = []
    generate = ScriptedEngine.generate

    def noted(engine: ScriptedEngine, request: Request) -> AsyncGenerator[Chunk, None]:
        asked.append(request)
        return generate(engine, request)

    monkeypatch.setattr(ScriptedEngine, "generate", noted)
    call = [("get_current_weather", '{"location": "Rome"}')]
    turn = written(format, None, call, "Rome, then.")
    events(PROMPTERS[format], turn, tool_choice=choice, reasoning_effort="high")
    known = PROMPTERS[format].tokenizer.control_ids
    ends = {known[end] for end in FORMATS[format].stop_tokens if end in known}
    biases = [request.sampling.logit_bias for request in asked]
    found = [ends <= {one for one, bias in each.items() if bias < -100} for each in biases]
    assert any(found) == (barred and FORMATS[format].reasons_if_forced)
    assert not all(found)


def test_what_the_engine_raises_reaches_the_caller(prompter: Prompter) -> None:
    model = scripted_model(prompter, {"turn": "all\nHello", "fault": "fail", "after": 1})
    with pytest.raises(EngineError, match="failed"):
        asyncio.run(collected(model))


def test_many_turns_share_one_thread(prompter: Prompter) -> None:
    model = scripted_model(prompter, {"turn": f"all\nSure.>>>{CALL}>>>{CALL}", "delay": 0.001})

    async def together() -> list[list[Event]]:
        return await asyncio.gather(*(collected(model) for _ in range(64)))

    for happened in asyncio.run(together()):
        assert text(happened) == "Sure."
        assert text(happened, "arguments") == '{"location": "Rome"}' * 2

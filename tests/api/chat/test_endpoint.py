"""Chat completions as OpenAI's own client sees them."""

from collections.abc import Callable
from typing import Any

import pytest
from openai.types.chat import ChatCompletion

from functionary_sgl.engines.scripted import ScriptedEngine
from functionary_sgl.turns import FORMATS
from tests.conftest import WEATHER
from tests.engine import dressed
from tests.formats import IN_A_LIST, PROMPTERS, written
from tests.serving import Served, scripted_model, serving

ASK: dict[str, Any] = {
    "model": "m",
    "messages": [{"role": "user", "content": "What is the weather for Istanbul?"}],
    "tools": [WEATHER],
}
CALL = 'get_current_weather\n{"location": "Istanbul"}'
FUNCTION = WEATHER["function"]


def complete(served: Served, **request: Any) -> ChatCompletion:
    """The answer, which must be the same when it is streamed."""
    whole = served.client.chat.completions.create(**request)
    with served.client.chat.completions.stream(
        **request, stream_options={"include_usage": True}
    ) as stream:
        for _ in stream:
            pass
        streamed = stream.get_final_completion()
    assert comparable(whole) == comparable(streamed)
    assert isinstance(whole, ChatCompletion)
    return whole


def comparable(completion: Any) -> Any:
    told = completion.model_dump(
        exclude={"id", "created", "system_fingerprint", "service_tier", "object"}
    )
    for choice in told["choices"]:
        choice["message"].pop("parsed", None)
        for call in choice["message"].get("tool_calls") or ():
            call.pop("id")
            call.pop("index", None)
            call["function"].pop("parsed_arguments", None)
    return told


def calls(completion: ChatCompletion) -> list[tuple[str, str]]:
    message = completion.choices[0].message
    return [(c.function.name, c.function.arguments) for c in message.tool_calls or ()]  # type: ignore


def test_a_single_call(serve: Callable[..., Served]) -> None:
    answer = complete(serve({"turn": CALL}), **ASK)
    assert calls(answer) == [("get_current_weather", '{"location": "Istanbul"}')]
    assert answer.choices[0].message.content is None
    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.id.startswith("chatcmpl-")


@pytest.mark.parametrize("chunk", [1, "char", "all"])
def test_text_and_parallel_calls(serve: Callable[..., Served], chunk: Any) -> None:
    turn = f"all\nLet me see.>>>{CALL}>>>{CALL.replace('Istanbul', 'Oslo')}"
    answer = complete(serve({"turn": turn, "chunk": chunk}), **ASK)
    assert answer.choices[0].message.content == "Let me see."
    assert [arguments for _, arguments in calls(answer)] == [
        '{"location": "Istanbul"}',
        '{"location": "Oslo"}',
    ]
    ids = {call.id for call in answer.choices[0].message.tool_calls or ()}
    assert len(ids) == 2
    assert all(id.startswith("call_") and len(id) == 29 for id in ids)


def test_text(serve: Callable[..., Served]) -> None:
    answer = complete(serve({"turn": "all\nHello!"}), **ASK)
    assert answer.choices[0].message.content == "Hello!"
    assert answer.choices[0].message.tool_calls is None
    assert answer.choices[0].finish_reason == "stop"


def test_code(serve: Callable[..., Served]) -> None:
    request = {**ASK, "tools": [WEATHER, {"type": "code_interpreter"}]}
    code = ">>> print(1)\nx = '>>>now'"
    whole = serve({"turn": f"python\n{code}"}).client.chat.completions.create(**request)
    assert calls(whole) == [("python", code)]
    assert whole.choices[0].finish_reason == "tool_calls"


@pytest.mark.parametrize(
    ("choice", "turn", "finish"),
    [
        ("auto", CALL, "tool_calls"),
        ("required", CALL, "tool_calls"),
        ({"type": "function", "function": {"name": "get_current_weather"}}, CALL, "stop"),
        ("none", f"all\n>>>{CALL}", "stop"),
    ],
)
def test_tool_choice(serve: Callable[..., Served], choice: Any, turn: str, finish: str) -> None:
    answer = complete(serve({"turn": turn}), **ASK, tool_choice=choice)
    assert answer.choices[0].finish_reason == finish
    if choice == "none":
        assert answer.choices[0].message.content == f">>>{CALL}"
    else:
        assert calls(answer) == [("get_current_weather", '{"location": "Istanbul"}')]


@pytest.mark.parametrize(
    ("choice", "finish"), [("auto", "function_call"), ({"name": FUNCTION["name"]}, "stop")]
)
def test_legacy_functions(serve: Callable[..., Served], choice: Any, finish: str) -> None:
    served = serve({"turn": f"{CALL}>>>{CALL}"})
    request = {
        "model": "m",
        "messages": ASK["messages"],
        "functions": [FUNCTION],
        "function_call": choice,
    }
    whole = served.client.chat.completions.create(**request)
    message = whole.choices[0].message
    assert message.function_call is not None
    assert message.function_call.name == "get_current_weather"
    assert message.function_call.arguments == '{"location": "Istanbul"}'
    assert message.tool_calls is None
    assert whole.choices[0].finish_reason == finish
    arguments, last = "", None
    for chunk in served.client.chat.completions.create(**request, stream=True):
        last = chunk.choices[0]
        assert last.delta.tool_calls is None
        if last.delta.function_call:
            arguments += last.delta.function_call.arguments or ""
    assert arguments == message.function_call.arguments
    assert last is not None
    assert last.finish_reason == finish


def test_the_chunks_of_a_stream_have_one_thing_each(serve: Callable[..., Served]) -> None:
    """The grammar that Functionary's own live tests check (formats: streaming)."""
    served = serve({"turn": f"all\nSure.>>>{CALL}>>>{CALL}"})
    chunks = list(served.client.chat.completions.create(**ASK, stream=True))
    assert len({chunk.id for chunk in chunks}) == len({chunk.created for chunk in chunks}) == 1
    first, *middle, last = [chunk.choices[0] for chunk in chunks]
    assert (first.delta.role, first.delta.content) == ("assistant", "")
    openers = []
    for choice in middle:
        assert choice.delta.role is None
        assert choice.finish_reason is None
        assert (choice.delta.content is None) != (choice.delta.tool_calls is None)
        for call in choice.delta.tool_calls or ():
            assert call.function is not None
            if call.id is not None:
                assert (call.type, call.function.name) == ("function", "get_current_weather")
                assert call.function.arguments == ""
                openers.append(call.index)
            else:
                assert (call.type, call.function.name) == (None, None)
                assert call.function.arguments
                assert call.index == len(openers) - 1
    assert openers == [0, 1]
    assert last.delta.model_dump(exclude_none=True) == {}
    assert last.finish_reason == "tool_calls"


def test_a_call_that_comes_first_has_the_role(serve: Callable[..., Served]) -> None:
    first, *_ = serve({"turn": CALL}).client.chat.completions.create(**ASK, stream=True)
    assert first.choices[0].delta.role == "assistant"
    assert first.choices[0].delta.tool_calls


def test_usage_is_told_when_it_is_asked_for(serve: Callable[..., Served]) -> None:
    served = serve({"turn": CALL})
    whole = served.client.chat.completions.create(**ASK)
    assert whole.usage is not None
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens
    assert whole.usage.prompt_tokens_details is not None
    assert whole.usage.prompt_tokens_details.cached_tokens is not None
    options = {"include_usage": True}
    asked = list(served.client.chat.completions.create(**ASK, stream=True, stream_options=options))  # type: ignore
    assert asked[-1].choices == []
    assert asked[-1].usage == whole.usage
    assert all(chunk.usage is None for chunk in asked[:-1])
    unasked = list(served.client.chat.completions.create(**ASK, stream=True))
    assert all(chunk.choices and chunk.usage is None for chunk in unasked)


def test_usage_tells_what_was_reasoned() -> None:
    turn = written("hermes", "Hello.", [], "They greet me.")
    with serving(scripted_model(PROMPTERS["hermes"], {"turn": turn})) as served:
        told = complete(served, model="m", messages=ASK["messages"]).usage
    assert told is not None
    assert told.completion_tokens_details is not None
    assert 0 < (told.completion_tokens_details.reasoning_tokens or 0) < told.completion_tokens


# A list has to be closed behind it.
@pytest.mark.parametrize("format", sorted(FORMATS.keys() - IN_A_LIST))
def test_a_call_that_ends_with_the_budget_is_whole(format: str) -> None:
    turn = written(format, None, [("get_current_weather", '{"location": "Istanbul"}')])
    asked = {**ASK, "tool_choice": "required", "parallel_tool_calls": False}
    prompter = dressed.prompter(FORMATS[format])
    with serving(scripted_model(prompter, {"turn": turn})) as served:
        create = served.client.chat.completions.create
        whole = create(**asked)
        (call,) = whole.choices[0].message.tool_calls
        for most in range(1, whole.usage.completion_tokens + 1):
            (part,) = create(**asked, max_tokens=most).choices
            said = [told.function for told in part.message.tool_calls or ()]
            reason = "tool_calls" if said == [call.function] else "length"
            assert part.finish_reason == reason, most


def test_several_choices_run_side_by_side(serve: Callable[..., Served]) -> None:
    answer = complete(serve({"turn": CALL}), **ASK, n=3)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    ids = {
        choice.message.tool_calls[0].id for choice in answer.choices if choice.message.tool_calls
    }
    assert len(ids) == 3
    assert answer.usage is not None
    single = complete(serve({"turn": CALL}), **ASK)
    assert single.usage is not None
    assert answer.usage.completion_tokens == 3 * single.usage.completion_tokens
    assert answer.usage.prompt_tokens == single.usage.prompt_tokens


def test_the_budget_is_told_as_length(serve: Callable[..., Served]) -> None:
    served = serve({"turn": CALL})
    for limit in ({"max_tokens": 8}, {"max_completion_tokens": 8, "max_tokens": 99}):
        answer = served.client.chat.completions.create(**ASK, **limit)
        assert answer.choices[0].finish_reason == "length"
        ((name, arguments),) = calls(answer)
        assert name == "get_current_weather"
        assert '{"location": "Istanbul"}'.startswith(arguments)
        streamed = list(served.client.chat.completions.create(**ASK, **limit, stream=True))
        assert streamed[-1].choices[0].finish_reason == "length"


def test_unknown_fields_are_accepted(serve: Callable[..., Served]) -> None:
    body = {"reasoning_effort": "none", "store": False, "x_future": {"a": 1}}
    assert serve({"turn": CALL}).client.chat.completions.create(**ASK, extra_body=body)


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_stops_its_turn(serve: Callable[..., Served], stream: bool) -> None:
    served = serve({"turn": "all\nHello", "fault": "stall", "after": 1 if stream else 0})
    engine = served.model.engine
    assert isinstance(engine, ScriptedEngine)
    request = {**ASK, "messages": [{"role": "user", "content": "Hi"}], "timeout": 0.3}
    with pytest.raises(Exception, match="timed out"):
        for _ in served.client.chat.completions.create(**request, stream=stream):
            pass
    served.client.close()
    wait_until(lambda: engine.running == 0)


def wait_until(happens: Callable[[], bool]) -> None:
    import time

    deadline = time.monotonic() + 5
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_models_list_says_which_template_and_why(serve: Callable[..., Served]) -> None:
    (model,) = serve({"turn": CALL}).client.models.list()
    assert model.id == "m"
    assert model.to_dict()["template"] == {"name": "v3.llama3", "reason": "for tests"}


def test_a_model_can_be_retrieved(serve: Callable[..., Served]) -> None:
    assert serve({"turn": CALL}).client.models.retrieve("m").owned_by == "functionary-sgl"

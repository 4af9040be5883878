"""What the README promises: an OpenAI client and a real SGLang."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import jsonschema
import pytest

from functionary_sgl.prompt import checkpoint
from tests.conftest import WEATHER
from tests.engine.conftest import RunningEngine

MODEL = "functionary-nano"
ASK: dict[str, Any] = {
    "model": MODEL,
    "messages": [{"role": "user", "content": "What is the weather for Istanbul?"}],
    "tools": [WEATHER],
    "tool_choice": "auto",
}
END = checkpoint.load(str(checkpoint.EMBEDDED)).tokenizer.control_ids["<|eot_id|>"]
RICH: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "book_trip",
        "parameters": {
            "type": "object",
            "properties": {
                "days": {"type": "integer", "minimum": 1, "maximum": 30},
                "class": {"type": "string", "enum": ["economy", "business"]},
                "guest": {
                    "type": "object",
                    "properties": {"name": {"type": "string", "maxLength": 40}},
                    "required": ["name"],
                },
                "tags": {"type": "array", "items": {"type": "boolean"}, "maxItems": 3},
            },
            "required": ["class", "guest"],
        },
    },
}
NOW: dict[str, Any] = {"type": "function", "function": {"name": "now"}}


def test_the_readmes_request_is_answered_with_a_call(engine: RunningEngine) -> None:
    answer = engine.client.chat.completions.create(**ASK)
    call, *_ = answer.choices[0].message.tool_calls or ()
    assert call.type == "function"
    assert call.function.name == "get_current_weather"
    assert json.loads(call.function.arguments) == {"location": "Istanbul"}
    assert answer.choices[0].finish_reason == "tool_calls"


def test_it_is_streamed(engine: RunningEngine) -> None:
    name, arguments, finish = "", "", None
    for chunk in engine.client.chat.completions.create(**ASK, stream=True):
        finish = chunk.choices[0].finish_reason
        for call in chunk.choices[0].delta.tool_calls or ():
            assert call.function is not None
            name += call.function.name or ""
            arguments += call.function.arguments or ""
    assert name == "get_current_weather"
    assert json.loads(arguments) == {"location": "Istanbul"}
    assert finish == "tool_calls"


def test_a_stream_equals_the_answer(engine: RunningEngine) -> None:
    greedy = {**ASK, "tools": [WEATHER, RICH, NOW], "temperature": 0}
    whole = engine.client.chat.completions.create(**greedy)
    with engine.client.chat.completions.stream(**greedy) as stream:
        streamed = stream.get_final_completion()
    message, streamed_message = whole.choices[0].message, streamed.choices[0].message
    assert message.content == streamed_message.content
    assert [
        (call.function.name, call.function.arguments)  # type: ignore
        for call in message.tool_calls or ()
    ] == [
        (call.function.name, call.function.arguments) for call in streamed_message.tool_calls or ()
    ]
    assert whole.choices[0].finish_reason == streamed.choices[0].finish_reason


SCHEMAS = {
    tool["function"]["name"]: tool["function"].get("parameters", {"maxProperties": 0})
    for tool in (WEATHER, RICH, NOW)
}


@pytest.mark.parametrize("choice", ["auto", "required", "named"])
def test_random_weights_give_valid_calls(engine: RunningEngine, choice: str) -> None:
    """Invariant: names are offered ones and arguments valid, by construction."""
    request: dict[str, Any] = {
        **ASK,
        "tools": [WEATHER, RICH, NOW],
        "temperature": 1,
        "tool_choice": {"type": "function", "function": {"name": "book_trip"}}
        if choice == "named"
        else choice,
    }
    create = engine.client.chat.completions.create
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda seed: create(**request, seed=seed), range(24)))
    finished = [a.choices[0] for a in answers if a.choices[0].finish_reason != "length"]
    assert len(finished) >= 20
    for answer in finished:
        calls: list[Any] = list(answer.message.tool_calls or ())
        assert calls or choice == "auto"
        for call in calls:
            jsonschema.validate(json.loads(call.function.arguments), SCHEMAS[call.function.name])
            assert choice != "named" or call.function.name == "book_trip"


def test_the_next_turn_finds_its_prefix_in_the_cache(engine: RunningEngine) -> None:
    """Nothing of a turn is computed again when the conversation goes on."""
    messages: list[Any] = [{"role": "user", "content": "Book a trip, please, for two."}]
    request: dict[str, Any] = {
        **ASK,
        "messages": messages,
        "tools": [RICH],
        "tool_choice": "required",
    }
    first = engine.client.chat.completions.create(**request, temperature=1)
    message = first.choices[0].message
    messages.append(message.to_dict())
    messages += [
        {"role": "tool", "tool_call_id": call.id, "content": "ok"}
        for call in message.tool_calls or ()
    ]
    second = engine.client.chat.completions.create(**request)
    assert first.usage is not None
    assert second.usage is not None
    assert second.usage.prompt_tokens_details is not None
    # All but the last id, whose state is computed by what follows it.
    known = first.usage.total_tokens - 1
    assert (second.usage.prompt_tokens_details.cached_tokens or 0) >= known


def test_the_tool_choice_leaves_the_prefix_alone(engine: RunningEngine) -> None:
    request = {**ASK, "tools": [NOW, RICH], "max_tokens": 1}
    prompts = engine.client.chat.completions.create(**request).usage
    assert prompts is not None
    for choice in ("none", "required", {"type": "function", "function": {"name": "now"}}):
        usage = engine.client.chat.completions.create(**{**request, "tool_choice": choice}).usage
        assert usage is not None
        assert usage.prompt_tokens_details is not None
        assert (usage.prompt_tokens_details.cached_tokens or 0) >= prompts.prompt_tokens - 1


def endless(**fields: Any) -> dict[str, Any]:
    """A request whose text does not end by itself."""
    messages = [{"role": "user", "content": "Tell me all."}]
    return {"model": MODEL, "messages": messages, "logit_bias": {str(END): -100}, **fields}


def test_the_budget_ends_a_turn(engine: RunningEngine) -> None:
    answer = engine.client.chat.completions.create(**endless(max_tokens=20))
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 20


def test_stop_strings_end_a_text(engine: RunningEngine) -> None:
    request = endless(max_tokens=200, temperature=0)
    text = engine.client.chat.completions.create(**request).choices[0].message.content or ""
    stop = text[len(text) // 2 :][:3]
    stopped = engine.client.chat.completions.create(**request, stop=[stop]).choices[0]
    assert stopped.finish_reason == "stop"
    assert stopped.message.content == text[: text.index(stop)].strip()


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_stops_its_turn(engine: RunningEngine, stream: bool) -> None:
    url = f"{engine.url}/v1/chat/completions"
    body = endless(max_tokens=7000, stream=stream)
    with httpx.Client() as client:
        if stream:
            with client.stream("POST", url, json=body) as response:
                lines = response.iter_lines()
                next(lines)
                assert engine.held() == 1
        else:
            with pytest.raises(httpx.ReadTimeout):
                client.post(url, json=body, timeout=0.5)
    deadline = time.monotonic() + 2
    while engine.held():
        assert time.monotonic() < deadline, "the engine still works for a client that left"
        time.sleep(0.02)


def test_the_engine_gives_ids_and_log_probabilities(engine: RunningEngine) -> None:
    ids = checkpoint.load(str(checkpoint.EMBEDDED)).tokenizer.encode("What is")
    url = f"{engine.url}/logprobs?ids={','.join(map(str, ids))}"
    chunks = httpx.get(url).json()
    tokens = [token_id for chunk in chunks for token_id in chunk["token_ids"]]
    logprobs = [logprob for chunk in chunks for logprob in chunk["logprobs"]]
    assert len(tokens) == len(logprobs) > 0
    for token_id, logprob in zip(tokens, logprobs, strict=True):
        first, second = logprob["top"]
        assert first == [token_id, pytest.approx(logprob["logprob"])]
        assert first[1] >= second[1]


def test_schemas_that_cannot_be_enforced_are_refused_before_anything_else(
    engine: RunningEngine,
) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "array", "uniqueItems": True}}}
    function = {"name": "f", "parameters": schema, "strict": True}
    tool = {"type": "function", "function": function}
    body = {**ASK, "tools": [tool], "stream": True}
    response = httpx.post(f"{engine.url}/v1/chat/completions", json=body)
    assert response.status_code == 400
    place = "tools[0].function.parameters/properties/a/uniqueItems"
    assert response.json()["error"]["param"] == place
    assert engine.client.chat.completions.create(**ASK)


def test_many_streams_at_once(engine: RunningEngine) -> None:
    def ask(number: int) -> str:
        text = {"role": "user", "content": f"Number {number}"}
        request = {**ASK, "messages": [text], "temperature": 1, "max_tokens": 60}
        *_, last = engine.client.chat.completions.create(**request, stream=True)
        finish: str = last.choices[0].finish_reason
        return finish

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(ask, range(48))) <= {"tool_calls", "stop", "length"}
    assert engine.held() == 0

"""Streams over HTTP add up to the messages that the reference's streams do, or to better ones.

The reference's deltas are replayed through the scripted engine, cut as they were; the reference's
events and our chunks are folded by the same rules.
"""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from functionary_sgl.api.chat.fold import Fold
from tests import formats
from tests.formats import PROMPTERS, PerFormat
from tests.paths import DATA
from tests.replay import CODE, OPEN

CASES: dict[tuple[str, str], dict[str, Any]] = {
    (case["version"], case["case"]): case
    for case in json.loads((DATA / "stream.json").read_text())["cases"]
}

Said = tuple[str | None, list[tuple[str, str]]]

EMPTY: Said = (None, [("get_weather", "{}")])
ROME: Said = (None, [("get_weather", '{"city": "Rome"}')])
FORECAST: Said = (None, [("get_weather_forecast", '{"city": "Rome"}')])
LLAMA31, QWEN = "v3-llama3.1", "qwen2.5-text-only"

# Content and calls as they are here. Above each group, why they are better than the reference's.
DIFFERENT: dict[tuple[str, str], Said] = {
    # A name is known by what follows it, however its tokens are cut, ...
    ("v3.llama3", "prefix names"): ROME,
    ("v3.llama3", "prefix names longer"): FORECAST,
    ("v3.llama3", "merged name+newline token"): ROME,
    ("v3.llama3", "multi-token chunks"): ROME,
    ("v3.llama3", "multi-token chunk text"): ("Hello world", []),
    ("v2.llama3", "prefix longer"): FORECAST,
    ("v2", "prefix names"): ROME,
    (LLAMA31, "merged chunk"): ROME,
    (QWEN, "tool_call split in pieces"): ROME,
    # ... and only names on offer are; where a call has begun, one of them is taken.
    ("v3.llama3", "python NOT enabled but produced"): ("python\nprint(1)", []),
    ("v3.llama3", "unknown fn"): ("foo\n{}", []),
    ("v2", "unknown"): ("foo\n{}", []),
    (LLAMA31, "python not enabled"): ("print(1)", []),
    (LLAMA31, "unknown fn"): ('<function=foo>{"city": "Rome"}</function>', []),
    ("v2.llama3", "unknown"): EMPTY,
    (QWEN, "unknown fn"): EMPTY,
    # Nothing of a text is lost, and with tool_choice none all is text.
    ("v3.llama3", "text containing >>>"): ("use >>> x", []),
    ("v2", "text multi-line"): ("a\nb\n\nc", []),
    (LLAMA31, "text < at end"): ("a<", []),
    (LLAMA31, "none with function text"): (
        'Hi<function=get_weather>{"city": "Rome"}</function>',
        [],
    ),
    # White space at the ends of a text is no text, neither is it between calls.
    ("v3.llama3", "newline merged w text"): ("Hello", []),
    (LLAMA31, "parallel with newline between"): (
        None,
        [*ROME[1], ("get_weather", '{"city": "Oslo"}')],
    ),
    # Arguments follow their schema, to their end, in the white space of the training data.
    ("v3.llama3", "invalid json then next call"): EMPTY,
    (LLAMA31, "close tag merged with args end"): (None, [("get_weather", '{"city": "R"}')]),
    (LLAMA31, "close tag whole token"): (None, [("get_weather", '{"city": "R"}')]),
    (LLAMA31, "args containing </"): (None, [("get_weather", '{"h": "<b>x</b>"}')]),
    # Reasoning is told apart, and every format streams.
    ("v3-llama3.1-reasoning", "reason"): ROME,
    ("r1", "r1 any"): ("Hi", []),
    # The old API has room for one call; the reference sends a second one under the same name.
    ("v3.llama3", "legacy functions"): ROME,
}


def folded(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """The choice that the `choices` entries of a stream add up to."""
    fold = Fold()
    for entry in entries:
        fold.add({"choices": [{"index": 0, "finish_reason": None, **entry}]})
    choice: dict[str, Any] = fold.completion()["choices"][0]
    return choice


def said(choice: dict[str, Any]) -> Said:
    """Content and calls."""
    message = choice["message"]
    functions = [call["function"] for call in message.get("tool_calls", [])]
    functions += [message["function_call"]] if "function_call" in message else []
    return message["content"], [(f["name"], f["arguments"]) for f in functions]


@pytest.fixture(scope="module")
def clients() -> Iterator[PerFormat[httpx.Client]]:
    """They replay the cases of their version, each where the user writes its name."""
    with formats.clients(lambda version: map(reply, of_version(version))) as started:
        yield started


def of_version(version: str) -> list[dict[str, Any]]:
    return [case for (of, _), case in CASES.items() if of == version]


def reply(case: dict[str, Any]) -> dict[str, Any]:
    cut = [len(delta) for delta in case["deltas"]] or 1
    return {"match": f"[{case['case']}]", "turn": "".join(case["deltas"]), "chunk": cut}


def request(case: dict[str, Any]) -> dict[str, Any]:
    """What a client asks, to get this case's stream."""
    functions = [
        {"name": name, "parameters": OPEN} for name in case["tools"] if name != "code_interpreter"
    ]
    body: dict[str, Any] = {
        "model": "m",
        "messages": [{"role": "user", "content": f"[{case['case']}]"}],
    }
    if case["case"] == "legacy functions":
        return {**body, "functions": functions}
    body["tools"] = [{"type": "function", "function": function} for function in functions]
    body["tools"] += [CODE] * ("code_interpreter" in case["tools"])
    choice = case["tool_choice"]
    named = isinstance(choice, dict) and {"name": choice["named"]}
    body["tool_choice"] = {"type": "function", "function": named} if named else choice
    if case["engine_finish"] == "length":
        tokenizer = PROMPTERS[case["version"]].tokenizer
        body["max_tokens"] = len(tokenizer.encode_marked("".join(case["deltas"])))
    return body


def answer(case: dict[str, Any], client: httpx.Client) -> dict[str, Any]:
    """The choice that is streamed, which has to say what the one does that is not."""

    def ask(**fields: Any) -> httpx.Response:
        asked = {**request(case), **fields}
        return client.post("/v1/chat/completions", json=asked).raise_for_status()

    whole, stream = ask().json()["choices"][0], ask(stream=True).text
    events = [line.removeprefix("data: ") for line in stream.split("\n\n") if line]
    assert events.pop() == "[DONE]"
    streamed = folded([json.loads(event)["choices"][0] for event in events])
    assert said(streamed) == said(whole)
    assert streamed["finish_reason"] == whole["finish_reason"]
    return streamed


def reference(case: dict[str, Any]) -> Said | None:
    """What the reference's stream adds up to; None where it failed or told a call twice over."""
    entries = case["events_nulls_removed"]
    if "EXC" in entries[0] or case["case"] == "legacy functions":
        return None
    return said(folded(entries))


def finish_reason(case: dict[str, Any], calls: Any) -> str:
    """By one rule, where the reference has several."""
    if case["engine_finish"] == "length":
        return "length"
    if not calls or isinstance(case["tool_choice"], dict):
        return "stop"
    return "function_call" if case["case"] == "legacy functions" else "tool_calls"


@pytest.mark.parametrize("place", CASES, ids=" | ".join)
def test_streams_add_up_to_the_stated_messages(
    clients: PerFormat[httpx.Client], place: tuple[str, str]
) -> None:
    case = CASES[place]
    choice = answer(case, clients[case["version"]])
    content, calls = said(choice)
    assert (content, calls) == DIFFERENT.get(place, reference(case))
    assert choice["finish_reason"] == finish_reason(case, calls)


def test_every_difference_is_one() -> None:
    for place, better in DIFFERENT.items():
        assert reference(CASES[place]) != better

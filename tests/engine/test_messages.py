"""Messages, with a real SGLang and Anthropic's own client."""

import contextlib
import io
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest

from tests.api.messages.asking import ASK, NAME, comparable, said
from tests.engine.conftest import RunningEngine
from tests.paths import ROOT
from tests.serving import connect_anthropic
from tests.test_docs import blocks

REQUEST: dict[str, Any] = {**ASK, "model": "functionary-nano", "extra_body": {"seed": 1}}


@pytest.fixture(scope="module")
def client(engine: RunningEngine) -> Iterator[anthropic.Anthropic]:
    with connect_anthropic(engine.url) as client:
        yield client


def test_the_documents_request(engine: RunningEngine) -> None:
    (code,) = blocks("python", ROOT / "docs" / "messages.md")
    printed, names = io.StringIO(), dict[str, Any]()
    with contextlib.redirect_stdout(printed):
        exec(code.replace("http://localhost:8000", engine.url), names)
    names["client"].close()
    assert printed.getvalue() == "get_current_weather {'location': 'Istanbul'}\n"


def test_a_message_has_the_call_that_a_chat_completion_has(client: anthropic.Anthropic) -> None:
    answer = client.messages.create(**REQUEST)
    assert said(answer) == [("tool_use", NAME, {"location": "Istanbul"})]
    assert answer.stop_reason == "tool_use"


def test_it_is_the_same_when_it_is_streamed(client: anthropic.Anthropic) -> None:
    whole = client.messages.create(**REQUEST)
    with client.messages.stream(**REQUEST) as stream:
        streamed = stream.get_final_message()
    told = [comparable(message) for message in (whole, streamed)]
    read = [_read(message) for message in (whole, streamed)]
    for message in told:
        for name in ("input_tokens", "cache_read_input_tokens"):  # of the second, all is cached
            message["usage"].pop(name)
    assert told[0] == told[1]
    assert read[0] == read[1]
    counted = client.messages.count_tokens(
        **{k: REQUEST[k] for k in ("model", "messages", "tools")}
    )
    assert counted.input_tokens == read[0]


def test_the_next_message_finds_the_first_in_the_cache(client: anthropic.Anthropic) -> None:
    first = client.messages.create(**REQUEST)
    (block,) = first.content
    result = {"type": "tool_result", "tool_use_id": block.to_dict()["id"], "content": "31 degrees"}
    said_so_far = [*REQUEST["messages"], first.to_param(), {"role": "user", "content": [result]}]
    second = client.messages.create(**{**REQUEST, "messages": said_so_far})
    assert second.stop_reason == "end_turn"
    ((kind, text),) = said(second)
    assert (kind, "31" in text) == ("text", True)
    assert second.usage.cache_read_input_tokens is not None
    read = _read(first) + first.usage.output_tokens
    assert second.usage.cache_read_input_tokens >= read - 1


def _read(message: anthropic.types.Message) -> int:
    """All tokens of the prompt, those that were cached included."""
    return message.usage.input_tokens + (message.usage.cache_read_input_tokens or 0)

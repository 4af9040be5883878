"""Log-probabilities: of every token that the model drew, in its order, streamed and not."""

from collections.abc import Callable
from typing import Any

import openai
import pytest

from functionary_sgl.tokenizer import Tokenizer
from tests.conftest import WEATHER
from tests.serving import Served

TURN = 'all\nHëllo 🙂, wait>>>get_current_weather\n{"location": "Örebro"}'
ASK: Any = {
    "model": "m",
    "messages": [{"role": "user", "content": "How is the weather?"}],
    "tools": [WEATHER],
    "logprobs": True,
}


def streamed(client: openai.OpenAI, **fields: Any) -> list[Any]:
    chunks = client.chat.completions.create(**ASK, **fields, stream=True)
    logprobs = [chunk.choices[0].logprobs for chunk in chunks]
    return [entry for told in logprobs if told for entry in told.content or ()]


@pytest.mark.parametrize("chunk", [1, 3, "char", "all"])
def test_they_spell_content_and_arguments(serve: Callable[..., Served], chunk: Any) -> None:
    client = serve({"turn": TURN, "chunk": chunk}).client
    (choice,) = client.chat.completions.create(**ASK, top_logprobs=2).choices
    assert choice.logprobs is not None
    entries = choice.logprobs.content or []
    spelled = b"".join(bytes(entry.bytes or ()) for entry in entries)
    assert spelled.decode() == 'Hëllo 🙂, wait{"location": "Örebro"}'
    assert all(entry.logprob == 0 for entry in entries)
    assert all(entry.top_logprobs[0].token == entry.token for entry in entries)
    assert streamed(client, top_logprobs=2) == entries


def test_alternatives_come_when_asked_for(serve: Callable[..., Served]) -> None:
    client = serve({"turn": TURN}).client
    assert all(not entry.top_logprobs for entry in streamed(client))


def test_none_come_when_not_asked_for(serve: Callable[..., Served]) -> None:
    client = serve({"turn": TURN}).client
    (choice,) = client.chat.completions.create(**{**ASK, "logprobs": False}).choices
    assert choice.logprobs is None


def test_alternatives_without_logprobs_are_refused(serve: Callable[..., Served]) -> None:
    client = serve({"turn": TURN}).client
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(**{**ASK, "logprobs": None, "top_logprobs": 2})
    assert caught.value.param == "top_logprobs"


def test_a_tokens_bytes_are_those_of_its_text(tokenizer: Tokenizer) -> None:
    text = "Grüße, 漢字 🙂\n\t x"
    ids = tokenizer.encode(text)
    assert b"".join(map(tokenizer.token_bytes, ids)) == text.encode()
    assert tokenizer.token_bytes(tokenizer.control_ids["<|eot_id|>"]) == b"<|eot_id|>"

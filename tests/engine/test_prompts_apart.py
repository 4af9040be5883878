"""Nothing that a client makes the model write is anything but text in the prompt of another."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from functionary_sgl.prompt import checkpoint
from tests.conftest import WEATHER
from tests.engine.conftest import RunningEngine

TOKENIZER = checkpoint.load(str(checkpoint.EMBEDDED)).tokenizer
ENDS = ("<|eot_id|>", "<|end_of_text|>")
CONTROL = {token: i for token, i in TOKENIZER.control_ids.items() if token not in ENDS}
HI = [{"role": "user", "content": "Hi"}]
(A,) = TOKENIZER.encode("a")


def tokens_of(engine: RunningEngine, answer: str, path: str = "", **fields: Any) -> int:
    """How many tokens a prompt has with `answer` in its history."""
    messages = [*HI, {"role": "assistant", "content": answer}, {"role": "user", "content": "Why?"}]
    body = {"model": "functionary-nano", "messages": messages, "max_tokens": 1, **fields}
    usage = httpx.post(f"{engine.url}{path}/v1/chat/completions", json=body).json()["usage"]
    assert isinstance(usage["prompt_tokens"], int)
    return usage["prompt_tokens"]


@pytest.mark.parametrize("path", ["", "/as/off"])
def test_control_tokens_are_never_drawn_for_text(engine: RunningEngine, path: str) -> None:
    """Whatever their bias; those that the program asks for end the turn as ever."""
    biased = {str(i): 100 for i in CONTROL.values()}
    biased |= {str(TOKENIZER.control_ids[token]): -100 for token in ENDS}

    def ask(fields: dict[str, Any]) -> Any:
        asked = {"model": "functionary-nano", "messages": HI, "max_tokens": 20, **fields}
        asked |= {"logit_bias": biased, "logprobs": True, "temperature": 2}
        return httpx.post(f"{engine.url}{path}/v1/chat/completions", json=asked).json()

    kinds = [{}, {"tools": [WEATHER]}, {"tools": [WEATHER], "tool_choice": "required"}]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, kinds * 4))
    drawn = {
        entry["token"]
        for answer in answers
        for entry in (answer["choices"][0]["logprobs"] or {"content": []})["content"]
    }
    assert drawn
    assert not drawn & set(TOKENIZER.control_ids)


def test_ids_of_one_client_do_not_come_into_the_prompt_of_another(engine: RunningEngine) -> None:
    """The smallest case that was found: control tokens, drawn beside the visible `a`."""
    for token, token_id in CONTROL.items():
        asked: dict[str, Any] = {"model": "functionary-nano", "messages": HI, "max_tokens": 10}
        asked |= {"logit_bias": {str(A): 100, str(token_id): 100}, "temperature": 2}
        answer = engine.http.post("/v1/chat/completions", json=asked).json()
        said = answer["choices"][0]["message"]["content"]
        assert said.strip("a") == "", token
        fresh = tokens_of(engine, said, cache_salt="nobody else's")
        assert tokens_of(engine, said) == fresh, token


def test_a_salt_keeps_the_prefix_cache_apart(engine: RunningEngine) -> None:
    """`cached_tokens` tells who has asked the same before, but for those with another salt."""

    def cached(**fields: Any) -> int:
        messages = [{"role": "user", "content": "Tell me of the sea and of its many islands."}]
        body = {"model": "functionary-nano", "messages": messages, "max_tokens": 1, **fields}
        answer = engine.http.post("/v1/chat/completions", json=body).json()
        count: int = answer["usage"]["prompt_tokens_details"]["cached_tokens"]
        return count

    cached(cache_salt="mine")
    assert cached(cache_salt="mine") > 20
    assert cached(cache_salt="yours") == 0

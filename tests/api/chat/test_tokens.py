"""Texts and chat requests as ids, and ids as texts."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functionary_sgl import __version__
from tests.conftest import WEATHER
from tests.formats import PROMPTERS
from tests.replay import characters
from tests.serving import Served, scripted_model, serving

HI = {"role": "user", "content": "Hi"}


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(scripted_model(PROMPTERS["v3.llama3"], {"turn": "all\nHello"})) as served:
        yield served


def tokenized(served: Served, **body: Any) -> dict[str, Any]:
    answer = served.http.post("/v1/tokenize", json=body).raise_for_status().json()
    assert answer["count"] == len(answer["tokens"])
    assert answer["max_model_len"] == 8192
    told: dict[str, Any] = answer
    return told


@given(text=st.text(characters, max_size=30))
def test_a_text_is_what_its_ids_say(served: Served, text: str) -> None:
    plain = tokenized(served, prompt=text, add_special_tokens=False, return_token_strs=True)
    answer = served.http.post("/v1/detokenize", json={"tokens": plain["tokens"]})
    if text:
        assert answer.json() == {"prompt": text}
    else:
        assert answer.status_code == 400
    assert len(plain["token_strs"]) == plain["count"]


def test_vllms_paths_are_taken_too(served: Served) -> None:
    body = {"prompt": "Hello"}
    assert served.http.post("/tokenize", json=body).json() == tokenized(served, **body)
    tokens = tokenized(served, prompt="Hello", add_special_tokens=False)["tokens"]
    assert served.http.post("/detokenize", json={"tokens": tokens}).json() == {"prompt": "Hello"}


def test_a_chat_request_has_as_many_tokens_as_its_answer_says(served: Served) -> None:
    body = {"messages": [HI], "tools": [WEATHER], "tool_choice": "auto"}
    told = tokenized(served, **body)
    answer = served.http.post("/v1/chat/completions", json={"model": "m", **body}).json()
    text = served.http.post("/v1/detokenize", json={"tokens": told["tokens"]}).json()["prompt"]
    assert told["count"] <= answer["usage"]["prompt_tokens"] <= told["count"] + 3
    assert "get_current_weather" in text


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("tokenize", {}, "prompt"),
        ("tokenize", {"prompt": 3}, "prompt"),
        ("tokenize", {"prompt": "a", "messages": [HI]}, "prompt"),
        ("tokenize", {"prompt": "word " * 9000}, "prompt"),
        ("tokenize", {"messages": []}, "messages"),
        ("tokenize", {"messages": [{"role": "user", "content": "word " * 9000}]}, "messages"),
        ("detokenize", {}, "tokens"),
        ("detokenize", {"tokens": [-1]}, "tokens[0]"),
        ("detokenize", {"tokens": [10**8]}, "tokens"),
        ("detokenize", {"tokens": ["a"]}, "tokens[0]"),
    ],
)
def test_what_is_wrong_is_named(
    served: Served, path: str, body: dict[str, Any], param: str
) -> None:
    answer = served.http.post(f"/v1/{path}", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param


def test_the_version_is_told(served: Served) -> None:
    assert served.http.get("/version").json() == {"version": __version__}

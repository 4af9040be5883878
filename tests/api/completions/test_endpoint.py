"""Completions as OpenAI's own client sees them."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from openai.types import Completion

from tests.formats import PROMPTERS
from tests.replay import cuts, payloads
from tests.serving import Served, scripted_model, serving

Serve = Callable[..., Served]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(scripted_model(PROMPTERS["v3.llama3"], {"turn": " upon a time"})) as served:
        yield served


def complete(served: Served, **request: Any) -> Completion:
    """The answer, which must be the same when it is streamed."""
    asked = {"model": "m", **request}
    whole = served.client.completions.create(**asked)
    texts: dict[int, str] = {}
    logprobs: dict[int, dict[str, list[Any]]] = {}
    reasons: dict[int, Any] = {}
    for chunk in served.client.completions.create(
        **asked, stream=True, stream_options={"include_usage": True}
    ):
        for choice in chunk.choices:
            texts[choice.index] = texts.get(choice.index, "") + choice.text
            reasons[choice.index] = choice.finish_reason
            for name, more in (choice.logprobs.to_dict() if choice.logprobs else {}).items():
                logprobs.setdefault(choice.index, {}).setdefault(name, []).extend(more)  # type: ignore
        usage = chunk.usage
    assert usage == whole.usage
    for choice in whole.choices:
        assert choice.text == texts[choice.index]
        assert choice.finish_reason == reasons[choice.index]
        told = choice.logprobs.to_dict() if choice.logprobs else {}
        assert told == logprobs.get(choice.index, {})
    return whole


def test_a_text_goes_on(served: Served) -> None:
    answer = complete(served, prompt="Once")
    (choice,) = answer.choices
    assert choice.text == " upon a time"
    assert choice.finish_reason == "stop"
    assert answer.id.startswith("cmpl-")
    assert answer.usage is not None
    assert answer.usage.prompt_tokens < 5


def test_sixteen_tokens_are_the_default(serve: Serve) -> None:
    served = serve({"turn": "word " * 50})
    answer = complete(served, prompt="Once")
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 16
    assert answer.choices[0].finish_reason == "length"


def test_ids_are_a_prompt_too(served: Served) -> None:
    ids = served.http.post("/v1/tokenize", json={"prompt": "Once"}).json()["tokens"]
    by_text, by_ids = (complete(served, prompt=prompt) for prompt in ("Once", ids))
    assert by_ids.usage == by_text.usage
    assert complete(served, prompt=ids, echo=True).choices[0].text.endswith("Once upon a time")


def test_it_begins_with_its_prompt_where_that_is_asked_for(served: Served) -> None:
    assert complete(served, prompt="Once", echo=True).choices[0].text == "Once upon a time"


def test_several_prompts_have_n_answers_each(serve: Serve) -> None:
    served = serve({"match": "Once", "turn": " upon"}, {"match": "Twice", "turn": " as much"})
    answer = complete(served, prompt=["Once", "Twice"], n=2)
    assert [choice.text for choice in answer.choices] == [" upon"] * 2 + [" as much"] * 2
    one = [complete(served, prompt=prompt).usage for prompt in ("Once", "Twice")]
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == sum(usage.prompt_tokens for usage in one if usage)


def test_stop_strings_end_it(served: Served) -> None:
    assert complete(served, prompt="Once", stop=" a").choices[0].text == " upon"


def test_logprobs_are_told_of_each_token(serve: Serve) -> None:
    served = serve({"turn": "é 漢🙂 x"})
    (choice,) = complete(served, prompt="A", logprobs=1).choices
    assert choice.logprobs is not None
    told = choice.logprobs.to_dict()
    assert {len(values) for values in told.values()} == {len(told["tokens"])}  # type: ignore
    for token, offset in zip(told["tokens"], told["text_offset"], strict=True):  # type: ignore
        if "\ufffd" not in token:
            assert choice.text[offset:].startswith(token)


@settings(max_examples=5)
@given(payloads, cuts)
def test_what_was_written_is_what_is_answered(text: str, cut: Any) -> None:
    reply = {"turn": text, "chunk": cut}
    with serving(scripted_model(PROMPTERS["v3.llama3"], reply)) as served:
        assert complete(served, prompt="A", max_tokens=500).choices[0].text == text


def test_what_looks_like_a_control_token_is_text(served: Served) -> None:
    tokenizer = served.model.prompter.tokenizer
    (token, token_id) = next(iter(tokenizer.control_ids.items()))
    ids = served.http.post("/v1/tokenize", json={"prompt": token}).json()["tokens"]
    assert token_id not in ids[len(tokenizer.bos_ids) :]
    assert complete(served, prompt=token, echo=True).choices[0].text.startswith(token)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": None}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": [[]]}, "prompt[0]"),
        ({"prompt": [10**9]}, "prompt"),
        ({"prompt": [1, "a"]}, "prompt[1]"),
        ({"prompt": ["a"] * 129}, "prompt"),
        ({"prompt": ["a"] * 65, "n": 2}, "prompt"),
        ({"prompt": "word " * 9000}, "prompt"),
        ({"suffix": "end"}, "suffix"),
        ({"best_of": 3}, "best_of"),
        ({"echo": True, "logprobs": 1}, "echo"),
        ({"logprobs": 21}, "logprobs"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"messages": []}, "messages"),
        ({"max_tokens": 0}, "max_tokens"),
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_what_cannot_be_honoured_is_refused_by_name(
    served: Served, fields: dict[str, Any], param: str
) -> None:
    answer = served.http.post("/v1/completions", json={"prompt": "Once", **fields})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param


def test_what_fails_has_a_status_or_an_event(serve: Serve) -> None:
    served = serve({"turn": "Hello there", "fault": "fail", "after": 1})
    assert served.http.post("/v1/completions", json={"prompt": "A"}).status_code == 500
    streamed = served.http.post("/v1/completions", json={"prompt": "A", "stream": True})
    assert streamed.status_code == 200
    assert "server_error" in streamed.text.splitlines()[-2]

"""Responses, and texts that go on, with a real SGLang."""

import json
from typing import Any

from tests.api.responses.asking import ASK, NAME, comparable
from tests.engine.conftest import RunningEngine

REQUEST: dict[str, Any] = {**ASK, "model": "functionary-nano", "seed": 1}


def test_a_response_has_the_call_that_a_chat_completion_has(engine: RunningEngine) -> None:
    answer = engine.client.responses.create(**_known(REQUEST))
    call = answer.output[0].to_dict()
    assert call["name"] == NAME
    assert json.loads(str(call["arguments"])) == {"location": "Istanbul"}


def test_it_is_the_same_when_it_is_streamed(engine: RunningEngine) -> None:
    whole = engine.client.responses.create(**_known(REQUEST))
    with engine.client.responses.stream(**_known(REQUEST)) as stream:
        for _ in stream:
            pass
        streamed: Any = stream.get_final_response()
    told = [comparable(response) for response in (whole, streamed)]
    for response in told:
        response["usage"].pop("input_tokens_details")  # of the second, all is cached
    assert told[0] == told[1]


def test_what_goes_on_by_id_finds_its_past_in_the_cache(engine: RunningEngine) -> None:
    first = engine.client.responses.create(**_known(REQUEST))
    outputs: Any = [
        {"type": "function_call_output", "call_id": call["call_id"], "output": "31 degrees"}
        for call in (item.to_dict() for item in first.output)
    ]
    following = {**REQUEST, "input": outputs, "previous_response_id": first.id}
    second = engine.client.responses.create(**_known(following))
    assert second.status == "completed"
    assert first.usage is not None
    assert second.usage is not None
    cached = second.usage.input_tokens_details.cached_tokens
    assert cached >= first.usage.total_tokens - 1


def test_a_text_goes_on_and_its_ids_do_so_alike(engine: RunningEngine) -> None:
    ids = engine.http.post("/v1/tokenize", json={"prompt": "The weather"}).json()["tokens"]
    answers = [
        engine.client.completions.create(
            model="functionary-nano", prompt=prompt, max_tokens=6, temperature=0, logprobs=2
        )
        for prompt in ("The weather", ids)
    ]
    texts = [answer.choices[0].text for answer in answers]
    assert texts[0] == texts[1] != ""
    logprobs = answers[0].choices[0].logprobs
    assert logprobs is not None
    assert "".join(logprobs.tokens or ()) == texts[0]
    assert all(len(top) == 2 for top in logprobs.top_logprobs or ())


def _known(request: dict[str, Any]) -> Any:
    """With what openai-python has no name for where it lets that pass."""
    return {**{k: v for k, v in request.items() if k != "seed"}, "extra_body": {"seed": 1}}

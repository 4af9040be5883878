"""What is counted of requests, and what a scrape sees of those that run."""

import re
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from functionary_sgl.api.keys import Key
from functionary_sgl.metrics import REGISTRY
from tests.serving import Served, counted

ASK = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


class Change:
    """How much more has been counted since this was made."""

    def __init__(self, name: str, **labels: str) -> None:
        self._of = name, labels
        self._before = sample(name, **labels)

    def __call__(self, wanted: float) -> bool:
        """Whether it is `wanted`, in the end: an answer is there before it is counted."""
        end = time.monotonic() + 5
        while (found := sample(self._of[0], **self._of[1]) - self._before) != wanted:
            if time.monotonic() > end:
                pytest.fail(f"{self._of} is {found} more, not {wanted}")
            time.sleep(0.001)
        return True


@pytest.mark.parametrize("stream", [False, True])
def test_a_request_is_counted_by_endpoint_status_and_key(
    serve: Callable[..., Served], stream: bool
) -> None:
    served = serve({"turn": "all\nHello, you!"}, api_keys=[Key.of("sk-1")])
    name = Key.of("sk-1").name
    chat = {"endpoint": "/v1/chat/completions"}
    answered = Change("functionary_requests_total", **chat, status="200", key=name)
    refused = Change("functionary_requests_total", **chat, status="400", key=name)
    unknown = Change("functionary_requests_total", **chat, status="401", key="")
    missed = Change("functionary_requests_total", endpoint="other", status="404", key=name)
    first = Change("functionary_time_to_first_token_seconds_count")
    each = Change("functionary_time_per_output_token_seconds_count")
    prompts = Change("functionary_prompt_tokens_count")
    tokens = Change("functionary_completion_tokens_sum")
    took = Change("functionary_request_seconds_count", **chat)
    url, headers = "/v1/chat/completions", {"x-api-key": "sk-1"}
    for body in (ASK, ASK | {"messages": 1}):
        served.http.post(url, json=body | {"stream": stream}, headers=headers)
    served.http.post(url, json=ASK)
    served.http.get("/some/where", headers=headers)
    usage = served.http.post(url, json=ASK, headers=headers).json()["usage"]
    assert answered(2)
    assert refused(1)
    assert unknown(1)
    assert missed(1)
    assert took(4)
    assert first(2)
    assert each(2)
    assert prompts(2)
    assert tokens(2 * usage["completion_tokens"])


@pytest.mark.parametrize(
    ("reply", "fields", "outcome"),
    [
        ({"turn": "all\nHello"}, {}, "stop"),
        ({"turn": "all\nHello"}, {"max_tokens": 3}, "length"),
        ({"turn": "f\n{}"}, {}, "tool_calls"),
        ({"turn": "all\nHello", "fault": "fail"}, {}, "failed"),
    ],
)
def test_answers_are_counted_by_choice_and_outcome(
    serve: Callable[..., Served], reply: dict[str, Any], fields: dict[str, Any], outcome: str
) -> None:
    served = serve(reply)
    turns = Change("functionary_turns_total", tool_choice="auto", outcome=outcome)
    served.http.post("/v1/chat/completions", json=ASK | {"tools": [TOOL]} | fields)
    assert turns(1)


def test_an_answer_whose_client_leaves_is_counted_as_left(serve: Callable[..., Served]) -> None:
    served = serve({"turn": "all\nHello", "fault": "stall", "after": 1})
    turns = Change("functionary_turns_total", tool_choice="auto", outcome="left")
    body = ASK | {"stream": True}
    with served.http.stream("POST", "/v1/chat/completions", json=body) as answer:
        next(answer.iter_lines())
    assert turns(1)


def test_schemas_are_counted_by_verdict_and_memory(serve: Callable[..., Served]) -> None:
    served = serve({"turn": "all\nHello"})
    unique = {"type": "object", "properties": {f"p{time.monotonic_ns()}": {"type": "string"}}}
    function = {"name": "f", "parameters": unique}
    new = Change("functionary_schemas_total", verdict="enforced", remembered="no")
    known = Change("functionary_schemas_total", verdict="enforced", remembered="yes")
    gate = Change("functionary_gate_seconds_count")
    body = ASK | {"tools": [{"type": "function", "function": function}]}
    for _ in range(3):
        served.http.post("/v1/chat/completions", json=body).raise_for_status()
    assert new(1)
    assert known(2)
    assert gate(3)


def test_a_scrape_sees_what_the_gate_remembers(serve: Callable[..., Served]) -> None:
    served = serve({"turn": "all\nHello"})

    def seen() -> list[float]:
        return [counted(served.http, f"functionary_gate_{what}") for what in ("schemas", "bytes")]

    before = seen()
    unique = {"type": "object", "properties": {f"p{time.monotonic_ns()}": {"type": "string"}}}
    body = ASK | {"tools": [{"type": "function", "function": {"name": "f", "parameters": unique}}]}
    for _ in range(2):
        served.http.post("/v1/chat/completions", json=body).raise_for_status()
    schemas, size = (after - known for after, known in zip(seen(), before, strict=True))
    assert schemas == 1
    assert size > len(str(unique))


def test_a_scrape_sees_the_turns_that_run(serve: Callable[..., Served]) -> None:
    served = serve({"turn": "all\nHello", "delay": 0.3})
    thread = threading.Thread(
        target=lambda: served.http.post("/v1/chat/completions", json=ASK | {"n": 2})
    )
    thread.start()
    seen = set()
    while thread.is_alive():
        text = served.http.get("/metrics").text
        seen.add(re.search(r"^functionary_turns_running (\S+)$", text, re.M)[1])  # type: ignore[index]
    assert seen >= {"2.0"}
    text = served.http.get("/metrics").text
    assert "\nfunctionary_turns_running 0.0\n" in text
    assert "\nfunctionary_turns_running_allowed +Inf\n" in text
    assert re.search(r'^functionary_build_info{.*sglang="0', text, re.M)
    assert "\nprocess_open_fds " in text


def test_what_is_kept_is_counted_by_what_is_asked_of_it(serve: Callable[..., Served]) -> None:
    served = serve({"turn": "all\nHello"})
    made = served.client.responses.create(model="m", input="Hi")
    found = {
        path: Change("functionary_requests_total", endpoint=path, status="200", key="")
        for path in ("/v1/responses/{response_id}", "/v1/responses/{response_id}/input_items")
    }
    served.client.responses.retrieve(made.id)
    served.client.responses.input_items.list(made.id)
    assert all(change(1) for change in found.values())

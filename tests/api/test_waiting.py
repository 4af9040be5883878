"""What clients see who wait: comments, deadlines, their turn, and what watchers are told."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import openai
import pytest

from functionary_sgl.admission import Admission
from functionary_sgl.api import events
from functionary_sgl.api.keys import Key
from functionary_sgl.errors import EngineDied, ServerStopping
from tests.formats import PROMPTERS
from tests.serving import Served, scripted_model, serving
from tests.waiting import until

ASK = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
SLOW = {"match": "slow", "turn": "all\nHello", "delay": 0.2}
NEVER = {"match": "never", "turn": "all\nHello", "fault": "stall", "after": 1}
SILENT = {"match": "silent", "turn": "all\nHello", "fault": "stall"}
FAILS = {"match": "fails", "turn": "all\nHello", "delay": 0.3, "fault": "fail"}
HELLO = {"turn": "all\nHello"}


def of(text: str, **fields: Any) -> dict[str, Any]:
    return ASK | {"messages": [{"role": "user", "content": text}]} | fields


@pytest.fixture
def bounded(request: pytest.FixtureRequest) -> Any:
    """A server with room for one that runs and two that wait."""
    keys = [replace(Key.of(f"sk-{name}"), name=name) for name in getattr(request, "param", ())]
    model = scripted_model(
        PROMPTERS["v3.llama3"], SLOW, NEVER, SILENT, FAILS, HELLO, admission=Admission(1, 2)
    )
    with serving(model, keys) as served:
        yield served


def post(served: Served, body: dict[str, Any], **options: Any) -> httpx.Response:
    return served.http.post("/v1/chat/completions", json=body, **options)


def held(served: Served, body: dict[str, Any], **options: Any) -> Any:
    return served.http.stream("POST", "/v1/chat/completions", json=body, **options)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "KEEP_ALIVE_SECONDS", 0.05)


@pytest.mark.usefixtures("impatient")
def test_a_stream_that_waits_says_that_it_goes_on(bounded: Served) -> None:
    """In the queue, before its first token and between them; and clients pass over it."""
    with held(bounded, of("slow", stream=True)) as running:
        queued: list[str] = []

        def wait() -> None:
            queued.append(post(bounded, of("slow", stream=True)).text)

        thread = threading.Thread(target=wait)
        thread.start()
        lines = [line for line in running.iter_lines() if line]
        thread.join()
    for text in ("\n".join(lines), queued[0]):
        assert text.startswith(": keep-alive\n")
        assert text.rstrip().endswith("data: [DONE]")
        assert ": keep-alive" in text.partition("data: ")[2]
    messages: Any = [{"role": "user", "content": "slow"}]
    stream = bounded.client.chat.completions.create(model="m", messages=messages, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == "Hello"


@pytest.mark.usefixtures("impatient")
def test_what_fails_behind_the_headers_is_an_event(bounded: Served) -> None:
    answer = post(bounded, of("fails", stream=True))
    assert answer.status_code == 200
    assert "The scripted engine failed" in answer.text.strip().split("\n\n")[-1]


def test_what_fails_before_anything_has_a_status(bounded: Served) -> None:
    assert post(bounded, of("fails", stream=True)).status_code == 500
    assert post(bounded, of("Hi", stream=True, messages=[])).status_code == 400


@pytest.mark.parametrize("bounded", [("many", "few")], indirect=True)
def test_a_key_that_asks_for_all_does_not_keep_another_out(bounded: Served) -> None:
    def ask(key: str) -> int:
        return post(bounded, of("slow"), headers={"x-api-key": f"sk-{key}"}).status_code

    with ThreadPoolExecutor(12) as pool:
        many = [pool.submit(ask, "many") for _ in range(10)]
        until(bounded.model.admission.full)
        time.sleep(0.1)  # some have been sent away by now
        assert ask("few") == 200
        codes = [answer.result() for answer in many]
    assert 200 in codes
    assert set(codes) == {200, 429}


def test_a_client_that_leaves_the_queue_frees_its_place(bounded: Served) -> None:
    admission = bounded.model.admission
    with held(bounded, of("never", stream=True)):
        for stream in (False, True):
            with pytest.raises(httpx.ReadTimeout):
                post(bounded, of("Hi", stream=stream), timeout=0.3)
            until(lambda: admission.taken == 1)
    until(lambda: admission.taken == 0)
    assert post(bounded, of("Hi")).status_code == 200


def test_a_deadline_ends_a_whole_answer_with_a_status(bounded: Served) -> None:
    """Also while it waits for its turn; the client says how long it waits, or a proxy does."""
    for name in ("Request-Timeout-Ms", "x-envoy-expected-rq-timeout-ms"):
        answer = post(bounded, of("never"), headers={name: "200"})
        assert answer.status_code == 504
        error = answer.json()["error"]
        assert (error["type"], error["code"]) == ("server_error", "request_timeout")
    with held(bounded, of("never", stream=True)):
        for stream in (False, True):
            late = post(bounded, of("Hi", stream=stream), headers={"request-timeout-ms": "200"})
            assert late.status_code == 504
    until(lambda: bounded.model.admission.taken == 0)


def test_a_deadline_ends_a_stream_with_an_event(bounded: Served) -> None:
    answer = post(bounded, of("never", stream=True), headers={"request-timeout-ms": "300"})
    assert answer.status_code == 200
    first, *_, last = answer.text.strip().split("\n\n")
    assert "choices" in first
    assert "request_timeout" in last


@pytest.mark.parametrize("value", ["", "0", "-1", "1.5", "soon", "9" * 10, "9" * 5000])
def test_what_is_no_time_is_no_deadline(bounded: Served, value: str) -> None:
    assert post(bounded, of("slow"), headers={"request-timeout-ms": value}).status_code == 200


def test_how_long_a_client_takes_silence_is_no_deadline(bounded: Served) -> None:
    headers = {"x-stainless-read-timeout": "0.1"}
    assert post(bounded, of("slow"), headers=headers).status_code == 200


def test_the_operator_has_a_deadline_for_all(bounded: Served) -> None:
    with serving(bounded.model, request_seconds=0.3) as served:
        messages: Any = [{"role": "user", "content": "never"}]
        with pytest.raises(openai.InternalServerError) as late:
            served.client.chat.completions.create(model="m", messages=messages)
        assert late.value.status_code == 504
        # Whoever asks may have less, not more.
        answer = post(served, of("never"), headers={"request-timeout-ms": "60000"})
        assert answer.status_code == 504


def test_ready_is_who_would_take_a_request(bounded: Served) -> None:
    http, admission = bounded.http, bounded.model.admission
    assert http.get("/ready").json() == {"status": "ok"}
    with admission.place("", 3):
        refused = http.get("/ready")
        assert refused.status_code == 503
        assert "as many requests as it can" in refused.json()["error"]["message"]
        assert http.get("/health").status_code == 200
    assert http.get("/ready").status_code == 200
    admission.close(ServerStopping("It is about to stop."))
    assert http.get("/ready").status_code == 503
    assert http.get("/health").status_code == 200
    refused = post(bounded, of("Hi"))
    assert refused.status_code == 503
    assert (refused.headers["retry-after"], refused.headers["connection"]) == ("1", "close")


def test_health_is_who_has_an_engine(bounded: Served) -> None:
    bounded.model.admission.give_up(EngineDied("The engine hangs."))
    for path in ("/health", "/ready"):
        refused = bounded.http.get(path)
        assert refused.status_code == 503
        assert refused.json()["error"]["message"] == "The engine hangs."

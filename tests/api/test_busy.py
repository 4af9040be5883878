"""Where there is room for so many turns and no more."""

import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import openai
import pytest

from functionary_sgl.admission import Admission
from functionary_sgl.api.keys import Key, Limits
from tests.formats import PROMPTERS
from tests.serving import Served, scripted_model, serving

ASK = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


def test_who_finds_no_room_is_told_at_once_and_nobody_else_is_harmed() -> None:
    """A turn that was let in comes to its end, whatever it asks of the engine meanwhile."""
    slow = {"turn": "all\nHello", "delay": 0.05}
    model = scripted_model(PROMPTERS["v3.llama3"], slow, admission=Admission(2, 2))
    with serving(model) as served:
        begun = threading.Barrier(12)

        def ask(stream: bool) -> httpx.Response:
            begun.wait()
            return served.http.post("/v1/chat/completions", json=ASK | {"stream": stream})

        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(ask, [False, True] * 6))
        codes = sorted(answer.status_code for answer in answers)
        assert codes == [200] * 4 + [429] * 8
        refused = [answer for answer in answers if answer.status_code == 429]
        assert {answer.headers["retry-after"] for answer in refused} == {"1"}
        assert "later" in refused[0].json()["error"]["message"]
        assert all("Hello" in a.text or "[DONE]" in a.text for a in answers if a not in refused)
        end = time.monotonic() + 5  # a client has the last of a stream before its place is free
        while model.admission.taken or model.admission.running:
            assert time.monotonic() < end
            time.sleep(0.001)


def test_each_of_several_answers_takes_room() -> None:
    model = scripted_model(
        PROMPTERS["v3.llama3"], {"turn": "all\nHello"}, admission=Admission(2, 0)
    )
    with serving(model) as served:
        post = served.http.post
        assert post("/v1/chat/completions", json=ASK | {"n": 2}).status_code == 200
        # Three will never fit: to send it again later would not help.
        refused = post("/v1/chat/completions", json=ASK | {"n": 3})
        assert refused.status_code == 400
        assert refused.json()["error"]["param"] == "n"
        with model.admission.place("", 1):
            assert post("/v1/chat/completions", json=ASK | {"n": 2}).status_code == 429
        assert post("/v1/chat/completions", json=ASK).status_code == 200


@pytest.mark.parametrize("stream", [False, True])
def test_answers_of_one_request_are_let_in_together(stream: bool) -> None:
    """Whoever has room for one of two is told so before anything else."""
    model = scripted_model(
        PROMPTERS["v3.llama3"], {"turn": "all\nHello"}, admission=Admission(2, 0)
    )
    with serving(model) as served, model.admission.place("", 1):
        asked = ASK | {"n": 2, "stream": stream, "tool_choice": "none"}
        assert served.http.post("/v1/chat/completions", json=asked).status_code == 429
        assert model.admission.taken == 1


def limited(name: str, **limits: int) -> Key:
    return replace(Key.of(f"sk-{name}"), name=name, limits=Limits(**limits))


def of(key: str) -> dict[str, str]:
    return {"x-api-key": f"sk-{key}"}


@pytest.fixture
def endless(serve: Callable[..., Served]) -> Callable[..., Served]:
    """A server whose answers do not end before their clients leave."""
    reply = {"turn": "all\nHello", "fault": "stall", "after": 1}
    return lambda *keys: serve(reply, api_keys=keys)


def begun(served: Served, key: str, **fields: Any) -> Any:
    """An answer to `key`, of which something has come."""
    asked = ASK | {"stream": True} | fields
    return served.http.stream("POST", "/v1/chat/completions", json=asked, headers=of(key))


@pytest.mark.parametrize("stream", [False, True])
def test_a_key_may_have_so_many_turns_at_once(endless: Callable[..., Served], stream: bool) -> None:
    served = endless(limited("two", parallel=2), limited("other", parallel=2))
    post = served.http.post
    asked = ASK | {"stream": stream}
    with begun(served, "two"), begun(served, "two"):
        refused = post("/v1/chat/completions", json=asked, headers=of("two"))
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "1"
        error = refused.json()["error"]
        assert (error["type"], error["code"]) == ("requests", "rate_limit_exceeded")
        assert "this key may have 2 at once" in error["message"]
        with begun(served, "other") as answer:  # which has its own
            assert answer.status_code == 200
    with begun(served, "two", n=2) as answer:
        assert answer.status_code == 200
        assert post("/v1/chat/completions", json=asked, headers=of("two")).status_code == 429


def test_more_at_once_in_one_request_than_a_key_may_ever_have_is_a_mistake(
    endless: Callable[..., Served],
) -> None:
    served = endless(limited("two", parallel=2))
    refused = served.http.post("/v1/chat/completions", json=ASK | {"n": 3}, headers=of("two"))
    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == "n"


def test_a_key_may_send_so_many_requests_a_minute(serve: Callable[..., Served]) -> None:
    keys = limited("three", per_minute=3), limited("other", per_minute=3)
    served = serve({"turn": "all\nHello"}, api_keys=keys)
    ask = served.client.with_options(api_key="sk-three").chat.completions.create
    for _ in range(2):
        ask(model="m", messages=[{"role": "user", "content": "Hi"}])
    with pytest.raises(openai.BadRequestError):  # is one of them too
        ask(model="m", messages=[])
    with pytest.raises(openai.RateLimitError) as refused:
        ask(model="m", messages=[{"role": "user", "content": "Hi"}])
    assert refused.value.code == "rate_limit_exceeded"
    assert refused.value.type == "requests"
    assert "this key may send 3" in refused.value.message
    assert 1 <= int(refused.value.response.headers["retry-after"]) <= 60
    # To look is no request, and others have their own.
    assert served.http.get("/v1/models", headers=of("three")).status_code == 200
    answer = served.http.post("/v1/chat/completions", json=ASK, headers=of("other"))
    assert answer.status_code == 200


def standing(answer: httpx.Response) -> dict[str, str]:
    """What an answer tells of its key's limit."""
    begin = "x-ratelimit-"
    told = {name: value for name, value in answer.headers.items() if name.startswith(begin)}
    return {name.removeprefix(begin): value for name, value in told.items()}


def test_a_key_is_told_what_it_has_left(serve: Callable[..., Served]) -> None:
    keys = limited("three", per_minute=3), limited("free")
    served = serve({"turn": "all\nHello"}, api_keys=keys)

    def ask(key: str = "three", **fields: Any) -> httpx.Response:
        return served.http.post("/v1/chat/completions", json=ASK | fields, headers=of(key))

    told = [ask(), ask(stream=True), ask(messages=[]), ask()]
    assert [answer.status_code for answer in told] == [200, 200, 400, 429]
    for answer, left in zip(told, [2, 1, 0, 0], strict=True):
        stands = standing(answer)
        assert re.fullmatch("1m0s|5[0-9]s", stands.pop("reset-requests"))
        assert stands == {"limit-requests": "3", "remaining-requests": str(left)}
    # To look tells too, and takes none; those without a limit hear of none.
    looked = standing(served.http.get("/v1/models", headers=of("three")))
    assert looked["remaining-requests"] == "0"
    assert standing(ask("free")) == standing(ask("nobody")) == {}
    assert standing(served.http.get("/health", headers=of("three"))) == {}

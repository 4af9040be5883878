"""Where there is room for so many turns and no more."""

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.formats import PROMPTERS
from tests.serving import scripted_model, serving

ASK = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


def test_who_finds_no_room_is_told_at_once_and_nobody_else_is_harmed() -> None:
    """A turn that was let in comes to its end, whatever it asks of the engine meanwhile."""
    model = scripted_model(PROMPTERS["v3.llama3"], {"turn": "all\nHello", "delay": 0.05})
    model.engine.most_turns = 4
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
        assert model.room.taken == 0


def test_each_of_several_answers_takes_room() -> None:
    model = scripted_model(PROMPTERS["v3.llama3"], {"turn": "all\nHello"})
    model.engine.most_turns = 2
    with serving(model) as served:
        post = served.http.post
        assert post("/v1/chat/completions", json=ASK | {"n": 2}).status_code == 200
        # Three will never fit: to send it again later would not help.
        refused = post("/v1/chat/completions", json=ASK | {"n": 3})
        assert refused.status_code == 400
        assert refused.json()["error"]["param"] == "n"
        with model.room.taking(1):
            assert post("/v1/chat/completions", json=ASK | {"n": 2}).status_code == 429
        assert post("/v1/chat/completions", json=ASK).status_code == 200

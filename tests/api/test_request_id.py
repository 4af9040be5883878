"""Every answer has a name, the client's own if it can be one. That all have one, the contract says
in all tests; here is which."""

import json
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from functionary_sgl.api.app import create_app
from tests.formats import PROMPTERS
from tests.serving import Served, scripted_model

ASK = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


@pytest.fixture
def served(serve: Callable[..., Served]) -> Served:
    return serve({"turn": "all\nHello"}, api_keys=("key",))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("key", "status"), [("key", 200), ("no", 401)])
def test_the_clients_own_comes_back(served: Served, stream: bool, key: str, status: int) -> None:
    headers = {"x-request-id": "Trace:1/2_3.4-5@a+b=c", "authorization": f"Bearer {key}"}
    body = json.dumps({**ASK, "stream": stream})
    answer = served.http.post("/v1/chat/completions", content=body, headers=headers)
    assert answer.status_code == status
    assert answer.headers.get_list("x-request-id") == [headers["x-request-id"]]
    assert answer.headers.get_list("request-id") == [headers["x-request-id"]]  # Anthropic's


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "é", "<b>", 'a"b', "a;b"])
def test_what_cannot_be_one_is_replaced(served: Served, given: str) -> None:
    names = {
        served.http.get(path, headers={"x-request-id": given.encode()}).headers["x-request-id"]
        for path in ("/health", "/nothing")
    }
    assert len(names) == 2
    assert all(name.startswith("req_") for name in names)


def test_a_failure_of_ours_has_one_too(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    model = scripted_model(PROMPTERS["v3.llama3"], {"turn": "all\nHello"})
    monkeypatch.setattr(type(model), "prepare", lambda *args, **kwargs: 1 // 0)
    client = TestClient(create_app(model), raise_server_exceptions=False)
    answer = client.post("/v1/chat/completions", json=ASK, headers={"x-request-id": "mine"})
    assert answer.status_code == 500
    assert answer.headers["x-request-id"] == "mine"
    assert "mine" in caplog.text

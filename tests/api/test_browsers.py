"""Web pages of strangers, and names that are made to mean this server's address."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from fastapi import APIRouter
from starlette.testclient import TestClient

from functionary_sgl.api.app import create_app
from functionary_sgl.api.browsers import SHOWN_HEADERS
from functionary_sgl.api.keys import Key, Keyring, Limits
from tests.formats import PROMPTERS
from tests.serving import scripted_model

ASK = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
HOSTS = ("box", ".example.com")
ORIGINS = ("https://page.example.org", "http://localhost:3000/")


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    model = scripted_model(PROMPTERS["v3.llama3"], {"turn": "all\nHello"})
    with TestClient(create_app(model, None, HOSTS, ORIGINS)) as client:
        yield client


def status(client: TestClient, **headers: str) -> int:
    return client.post("/v1/chat/completions", json=ASK, headers=headers).status_code


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST:8000", "localhost.", "127.0.0.1:8000", "[::1]:80", "10.1.2.3"),
        *("box", "Box:8000", "api.example.com", "a.b.example.com:1"),
    ],
)
def test_own_names_and_addresses_are_known(client: TestClient, host: str) -> None:
    assert status(client, host=host) == 200


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "localhost.evil.example", "evil.example:8000", "box.evil.example"),
        *("example.com", "notexample.com", "127.0.0.1.evil.example", "user@box@evil", "[::1", ""),
        *("127.1", "0x7f.1"),
    ],
)
def test_other_names_are_not(client: TestClient, host: str) -> None:
    assert status(client, host=host) == 403
    assert client.get("/v1/models", headers={"host": host}).status_code == 403
    # Whoever looks after the server may look at it by any name.
    assert client.get("/health", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "origin",
    [
        "http://box:8000",
        "https://page.example.org",
        "HTTPS://Page.example.org",
        "http://localhost:3000",
    ],
)
def test_pages_of_its_own_and_those_allowed_may_ask(client: TestClient, origin: str) -> None:
    assert status(client, host="box:8000", origin=origin) == 200


@pytest.mark.parametrize(
    "origin",
    ["null", "https://evil.example", "http://box:8001", "http://localhost", "file://", "box:8000"],
)
def test_others_may_not(client: TestClient, origin: str) -> None:
    answer = client.post(
        "/v1/chat/completions", json=ASK, headers={"host": "box:8000", "origin": origin}
    )
    assert answer.status_code == 403
    assert "--allowed-origins" in answer.json()["error"]["message"]


PREFLIGHT = {
    "origin": "http://localhost:3000",
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type",
}


@pytest.mark.parametrize("keys", [[], [Key.of("secret")]])
def test_a_browser_is_told_before_it_asks(keys: list[Key]) -> None:
    model = scripted_model(PROMPTERS["v3.llama3"], {"turn": "all\nHello"})
    with TestClient(create_app(model, Keyring(keys), HOSTS, ORIGINS)) as client:
        for path in ("/v1/chat/completions", "/v1/models", "/health"):
            answer = client.options(path, headers={"host": "box", **PREFLIGHT})
            assert answer.status_code == 204
            assert answer.headers["access-control-allow-origin"] == PREFLIGHT["origin"]
            assert "POST" in answer.headers["access-control-allow-methods"]
            assert answer.headers["access-control-allow-headers"] == "authorization,content-type"
            assert "access-control-allow-private-network" not in answer.headers


def test_a_page_on_the_network_may_ask_a_machine_of_the_house(client: TestClient) -> None:
    asks = {"host": "box", **PREFLIGHT, "access-control-request-private-network": "true"}
    answer = client.options("/v1/models", headers=asks)
    assert answer.headers["access-control-allow-private-network"] == "true"


def test_pages_may_read_answers_and_errors(client: TestClient) -> None:
    for body, status in ((ASK, 200), (ASK | {"stream": True}, 200), ({}, 400)):
        headers = {"host": "box", "origin": PREFLIGHT["origin"]}
        answer = client.post("/v1/chat/completions", json=body, headers=headers)
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == PREFLIGHT["origin"]
        shown = answer.headers["access-control-expose-headers"].split(", ")
        assert {"x-request-id", "request-id"} <= set(shown)
        assert answer.headers["vary"] == "Origin"
    assert (
        "access-control-allow-origin"
        not in client.get("/v1/models", headers={"host": "box"}).headers
    )


def test_strangers_are_told_nothing(client: TestClient) -> None:
    stranger = {"host": "box", **PREFLIGHT, "origin": "https://evil.example"}
    for path, status in (("/v1/chat/completions", 403), ("/health", 405)):
        answer = client.options(path, headers=stranger)
        assert answer.status_code == status
        assert "access-control-allow-origin" not in answer.headers


def test_anything_can_be_allowed() -> None:
    model = scripted_model(PROMPTERS["v3.llama3"], {"turn": "all\nHello"})
    with TestClient(create_app(model, None, ["*"], ["*"])) as client:
        assert status(client, host="anything.at.all", origin="https://anybody.example") == 200


SENT = (
    *("authorization", "x-api-key", "content-type", "content-encoding", "x-request-id"),
    *("idempotency-key", "traceparent", "tracestate", "baggage", "x-stainless-lang"),
    *("x-stainless-retry-count", "x-stainless-timeout", "x-stainless-helper-method"),
    *("openai-organization", "openai-project", "openai-beta", "anthropic-version"),
    *("anthropic-beta", "anthropic-dangerous-direct-browser-access"),
)


@pytest.mark.parametrize("header", SENT)
def test_pages_may_send_what_clients_do(client: TestClient, header: str) -> None:
    asks = {"host": "box", **PREFLIGHT, "access-control-request-headers": header}
    told = client.options("/v1/chat/completions", headers=asks)
    assert told.headers["access-control-allow-headers"] == header


@pytest.mark.parametrize("origins", [ORIGINS, ["*"]])
def test_nobody_is_allowed_credentials(origins: list[str]) -> None:
    model = scripted_model(PROMPTERS["v3.llama3"], {"turn": "all\nHello"})
    with TestClient(create_app(model, None, HOSTS, origins)) as client:
        for method, headers in (("OPTIONS", PREFLIGHT), ("GET", {"origin": PREFLIGHT["origin"]})):
            answer = client.request(method, "/v1/models", headers={"host": "box", **headers})
            assert answer.headers["access-control-allow-origin"] == PREFLIGHT["origin"]
            assert "access-control-allow-credentials" not in answer.headers


def test_pages_may_read_errors_that_nobody_foresaw_and_refusals_for_want_of_a_key() -> None:
    router = APIRouter()

    @router.get("/broken")
    async def broken() -> None:
        raise ZeroDivisionError

    model = scripted_model(PROMPTERS["v3.llama3"], {"turn": "all\nHello"})
    app = create_app(model, Keyring([Key.of("secret")]), HOSTS, ORIGINS)
    app.include_router(router)
    headers = {"host": "box", "origin": PREFLIGHT["origin"]}
    with TestClient(app) as client:
        refused = client.get("/v1/models", headers=headers)
        failed = client.get("/broken", headers={**headers, "x-api-key": "secret"})
        assert (refused.status_code, failed.status_code) == (401, 500)
        for answer in (refused, failed):
            assert answer.headers["access-control-allow-origin"] == PREFLIGHT["origin"]


def test_pages_may_read_all_headers_of_ours() -> None:
    keys = Keyring([replace(Key.of("secret"), limits=Limits(per_minute=5))])
    model = scripted_model(PROMPTERS["v3.llama3"], {"turn": "all\nHello"})
    with TestClient(create_app(model, keys, HOSTS, ORIGINS)) as client:
        headers = {"host": "box", "origin": PREFLIGHT["origin"], "x-api-key": "secret"}
        answer = client.post("/v1/chat/completions", json=ASK, headers=headers)
    always = {"content-type", "content-length", "vary"}
    told = {name for name in answer.headers if not name.startswith("access-control-")}
    assert told - always <= set(SHOWN_HEADERS.split(", "))

"""Paths as clients spell them, methods, and what is told of those that there are not."""

import json
from collections.abc import Callable, Iterator

import httpx
import pytest

from functionary_sgl.api.paths import plain
from tests.formats import PROMPTERS
from tests.serving import Served, scripted_model, serving

ASK = json.dumps({"model": "m", "messages": [{"role": "user", "content": "Hi"}]})
CHAT = "/v1/chat/completions"
GETS = ("/", "/v1", "/health", "/metrics", "/v1/models", "/v1/models/m", "/openapi.json", "/docs")


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(scripted_model(PROMPTERS["v3.llama3"], {"turn": "all\nHello"})) as served:
        yield served


def told(response: httpx.Response, status: int) -> str:
    assert response.status_code == status
    message: str = response.json()["error"]["message"]
    return message


@pytest.mark.parametrize("path", GETS)
def test_head_is_get_without_a_body(served: Served, path: str) -> None:
    whole = served.http.get(path)
    head = served.http.head(path)
    assert (whole.status_code, head.status_code) == (200, 200)
    assert head.content == b""
    assert head.headers["content-type"] == whole.headers["content-type"]


def test_head_is_no_way_to_ask(served: Served) -> None:
    assert served.http.head(CHAT).status_code == 405
    assert served.http.head("/nothing").status_code == 404


@pytest.mark.parametrize(
    "path", [*(f"{path}/" for path in GETS), "//health", "/v1//models///", "//v1/models/m"]
)
def test_slashes_too_many_count_for_nothing(served: Served, path: str) -> None:
    # httpx would take a path of two slashes for a host's name
    assert served.http.get(httpx.URL(f"{served.url}{path}")).status_code == 200


@pytest.mark.parametrize("path", ["/v1/chat/completions/", "//v1/chat/completions", f"/{CHAT}//"])
def test_so_it_is_where_one_asks(served: Served, path: str) -> None:
    assert served.http.post(httpx.URL(f"{served.url}{path}"), content=ASK).status_code == 200


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/v1/models//srv/model/", "/v1/models//srv/model/"),
        ("//v1//models/./a", "/v1/models/./a"),
        ("/v1/models//", "/v1/models"),
        ("", "/"),
        ("//", "/"),
        ("/a//b/", "/a/b"),
    ],
)
def test_names_of_models_keep_their_slashes(path: str, meant: str) -> None:
    assert plain(path) == meant


def test_the_root_says_what_there_is(served: Served) -> None:
    answer = served.http.get("/").json()
    assert answer["server"] == "functionary-sgl"
    assert {f"POST {CHAT}", "GET /v1/models"} <= set(answer["endpoints"])
    assert served.http.get("/v1").json() == answer


def test_the_root_needs_no_key(serve: Callable[..., Served]) -> None:
    locked = serve({"turn": "all\nHello"}, api_keys=("secret",))
    assert [locked.http.head(path).status_code for path in ("/", "/health/", "/v1")] == [
        *(200, 200, 401)
    ]


@pytest.mark.parametrize(
    ("method", "path", "nearest"),
    [
        ("POST", "/chat/completions", f"POST {CHAT}"),
        ("GET", "/chat/completions", f"POST {CHAT}"),
        ("POST", "/v1/chat/completion", f"POST {CHAT}"),
        ("POST", "/v1/v1/chat/completions", f"POST {CHAT}"),
        ("POST", "/V1/Chat/Completions", f"POST {CHAT}"),
        ("POST", "/v1/response", "POST /v1/responses"),
        ("POST", "/responses", "POST /v1/responses"),
        ("POST", "/messages", "POST /v1/messages"),
        ("POST", "/v1/v1/messages", "POST /v1/messages"),
        ("POST", "/api/chat", f"POST {CHAT}"),
        ("GET", "/models", "GET /v1/models"),
        ("GET", "/v1/model", "GET /v1/models"),
        ("GET", "/healthz", "GET /health"),
        ("DELETE", "/" + "x" * 5000, ""),
    ],
)
def test_unknown_paths_are_404s_that_name_the_nearest(
    served: Served, method: str, path: str, nearest: str
) -> None:
    message = told(served.http.request(method, path), 404)
    assert f"{method} {path}" in message
    assert f"The nearest endpoint of this server is {nearest}" in message


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", CHAT, "POST"),
        ("OPTIONS", CHAT, "POST"),
        ("POST", "/v1/models", "GET, HEAD"),
        ("DELETE", "/health/", "GET, HEAD"),
    ],
)
def test_wrong_methods_are_405s_that_name_the_right_ones(
    served: Served, method: str, path: str, allowed: str
) -> None:
    response = served.http.request(method, path)
    assert allowed in told(response, 405)
    assert response.headers["allow"] == allowed

from collections.abc import Callable

import pytest

from tests.serving import Served


@pytest.fixture
def served(serve: Callable[..., Served]) -> Served:
    return serve({"turn": "all\nHello"}, api_key="sésame")


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer wrong",
        "Basic s\u00e9same",
        "Bearer s\u00e9same2",
        "Bearer \u00ff",
    ],
)
def test_without_the_key_nothing_is_told(served: Served, header: str | None) -> None:
    headers = {} if header is None else {"authorization": header.encode()}
    for path in ("/v1/models", "/openapi.json", "/nothing"):
        response = served.http.get(path, headers=headers)
        assert response.status_code == 401
        assert response.json()["error"]["code"] == "invalid_api_key"


def test_with_the_key_all_is_well(served: Served) -> None:
    headers = {"authorization": "Bearer sésame".encode()}
    assert served.http.get("/v1/models", headers=headers).status_code == 200


def test_health_is_open(served: Served) -> None:
    assert served.http.get("/health").json() == {"status": "ok"}


def test_without_a_key_of_the_servers_any_is_welcome(serve: Callable[..., Served]) -> None:
    served = serve({"turn": "all\nHello"})
    headers = {"authorization": "Bearer xxxx"}
    assert served.http.get("/v1/models", headers=headers).status_code == 200

import asyncio
import hashlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from functionary_sgl.api.auth import RequireKey
from tests.serving import Served


@pytest.fixture
def served(serve: Callable[..., Served]) -> Served:
    return serve({"turn": "all\nHello"}, api_keys=("sésame", "open", "two words"))


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
        "Bearer ope",
        "Bearer OPEN",
        "Bearer open s\u00e9same",
        "Bearer two",
        "open",
    ],
)
def test_without_a_key_nothing_is_told(served: Served, header: str | None) -> None:
    headers = {} if header is None else {"authorization": header.encode()}
    for path in ("/v1/models", "/openapi.json", "/nothing"):
        response = served.http.get(path, headers=headers)
        assert response.status_code == 401
        assert response.json()["error"]["code"] == "invalid_api_key"


@pytest.mark.parametrize(
    "header", ["Bearer sésame", "bearer open", "Bearer two words", "BEARER  open"]
)
def test_with_any_of_the_keys_all_is_well(served: Served, header: str) -> None:
    headers = {"authorization": header.encode()}
    assert served.http.get("/v1/models", headers=headers).status_code == 200


def test_health_is_open(served: Served) -> None:
    assert served.http.get("/health").json() == {"status": "ok"}


def test_without_a_key_of_the_servers_any_is_welcome(serve: Callable[..., Served]) -> None:
    served = serve({"turn": "all\nHello"})
    headers = {"authorization": "Bearer xxxx"}
    assert served.http.get("/v1/models", headers=headers).status_code == 200


async def asked(app: Any, path: str, key: str | None) -> dict[str, Any]:
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://s") as client:
        await client.get(path, headers=headers)
    seen: dict[str, Any] = app.seen.pop()
    return seen


class Shared:
    """An application that notes its requests' state, in a server that hands all the same one."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self.seen: list[dict[str, Any]] = []
        self.state: dict[str, Any] = {"of the server": 1}
        app = Starlette(routes=[Route("/{path}", self._note)])
        self._app = RequireKey(app, keys) if keys else app

    async def _note(self, request: Request) -> Response:
        self.seen.append(dict(request.state._state))
        return Response()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app({**scope, "state": self.state}, receive, send)


def test_what_is_kept_apart_by_key_is_told_whose_it_is() -> None:
    app = Shared(("one", "two"))
    for key in ("one", "two", "one"):
        state = asyncio.run(asked(app, "/v1", key))
        assert state["tenant"] == hashlib.sha256(key.encode()).digest()
        assert state["of the server"] == 1
    assert asyncio.run(asked(app, "/health", "one")) == {"of the server": 1}
    assert asyncio.run(asked(Shared(()), "/v1", "one")) == {"of the server": 1}


def test_an_empty_key_is_none() -> None:
    app = Shared(("", "one"))
    with pytest.raises(IndexError):  # nothing got through
        asyncio.run(asked(app, "/v1", ""))

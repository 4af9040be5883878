import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any

import httpx
import openai
import pytest
from fastapi import APIRouter, Depends
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from functionary_sgl.api.auth import RequireKey
from functionary_sgl.api.callers import caller, require_admin
from functionary_sgl.api.keys import Key, Keyring
from functionary_sgl.api.request_id import NameRequests
from functionary_sgl.caller import ANYONE, Caller
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
    for path in ("/v1/models", "/metrics", "/openapi.json", "/nothing"):
        response = served.http.get(path, headers=headers)
        assert response.status_code == 401
        assert response.json()["error"]["code"] == "invalid_api_key"


@pytest.mark.parametrize("header", ["", "wrong", "Bearer open", "ope", "OPEN", "\u00ff"])
def test_nor_with_another_in_the_header_of_others(served: Served, header: str) -> None:
    refused = served.http.get("/v1/models", headers={"x-api-key": header.encode()})
    assert refused.status_code == 401
    assert "x-api-key: KEY" in refused.json()["error"]["message"]


@pytest.mark.parametrize(
    "header", ["Bearer sésame", "bearer open", "Bearer two words", "BEARER  open"]
)
def test_with_any_of_the_keys_all_is_well(served: Served, header: str) -> None:
    headers = {"authorization": header.encode()}
    assert served.http.get("/v1/models", headers=headers).status_code == 200


@pytest.mark.parametrize("key", ["sésame", "open", "two words"])
def test_it_may_be_in_the_header_of_anthropics_clients(served: Served, key: str) -> None:
    headers = {"x-api-key": key.encode()}
    assert served.http.get("/v1/models", headers=headers).status_code == 200
    # A proxy may have its own use for the other one.
    headers["authorization"] = b"Basic dXNlcjpwYXNz"
    assert served.http.get("/v1/models", headers=headers).status_code == 200


def test_openais_client_is_told_what_is_wrong(served: Served) -> None:
    with pytest.raises(openai.AuthenticationError) as refused:
        served.client.models.list()
    assert refused.value.code == "invalid_api_key"
    assert served.client.with_options(api_key="open").models.list().data


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
        guarded = RequireKey(app, Keyring(map(Key.of, keys))) if keys else app
        self._app = NameRequests(guarded)

    async def _note(self, request: Request) -> Response:
        state = dict(request.state._state)
        del state["request_id"]
        self.seen.append(state | {"caller": caller(request)})
        return Response()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app({**scope, "state": self.state}, receive, send)


def test_what_is_kept_apart_by_key_is_told_whose_it_is() -> None:
    app = Shared(("one", "two"))
    for key in ("one", "two", "one"):
        state = asyncio.run(asked(app, "/v1", key))
        assert state["caller"].tenant == hashlib.sha256(key.encode()).digest()
        assert state["caller"].name == Key.of(key).name
        assert state["of the server"] == 1
    nobody = {"of the server": 1, "caller": ANYONE}
    assert asyncio.run(asked(app, "/health", "one")) == nobody
    assert asyncio.run(asked(Shared(()), "/v1", "one")) == nobody
    assert app.state == {"of the server": 1}


def test_an_empty_key_is_none() -> None:
    app = Shared(("", "one"))
    with pytest.raises(IndexError):  # nothing got through
        asyncio.run(asked(app, "/v1", ""))


router = APIRouter()


@router.post("/admin")
async def administer(admin: Annotated[Caller, Depends(require_admin)]) -> dict[str, str]:
    return {"by": admin.name}


def test_an_administrators_endpoint_takes_the_admin_key(serve: Callable[..., Served]) -> None:
    keys = ["user", replace(Key.of("root"), name="ops", is_admin=True)]
    served = serve({"turn": "all\nHello"}, api_keys=keys, routes=[router])
    for headers, status in [
        ({}, 401),
        ({"x-api-key": "wrong"}, 401),
        ({"x-api-key": "user"}, 403),
        ({"x-api-key": "root"}, 200),
        ({"authorization": "Bearer root"}, 200),
    ]:
        assert served.http.post("/admin", headers=headers).status_code == status
    assert served.http.post("/admin", headers={"x-api-key": "root"}).json() == {"by": "ops"}
    # It is a key like others, too.
    assert served.http.get("/v1/models", headers={"x-api-key": "root"}).status_code == 200


@pytest.mark.parametrize("keys", [[], ["user"]])
def test_without_an_admin_key_nobody_administers(
    serve: Callable[..., Served], keys: list[str]
) -> None:
    served = serve({"turn": "all\nHello"}, api_keys=keys, routes=[router])
    refused = served.http.post("/admin", headers={"x-api-key": "user"})
    assert refused.status_code == 403
    assert "FUNCTIONARY_ADMIN_API_KEY" in refused.json()["error"]["message"]

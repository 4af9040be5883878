"""Adapters that come and go while the server runs, as far as HTTP goes; what becomes of them on a
real engine is in `tests/engine/test_lora_updates.py`."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from functionary_sgl.adapters import Adapters
from functionary_sgl.api.app import create_app
from functionary_sgl.api.keys import Key
from functionary_sgl.engines.base import Chunk, Request
from functionary_sgl.engines.scripted import Script, ScriptedEngine
from functionary_sgl.errors import EngineError, RequestError, UsageError
from functionary_sgl.model import Model
from functionary_sgl.prompt.prompter import Prompter
from tests.serving import Served, serving
from tests.waiting import until

LOAD, UNLOAD, CHAT = "/v1/load_lora_adapter", "/v1/unload_lora_adapter", "/v1/chat/completions"
HI: list[Any] = [{"role": "user", "content": "Hi"}]


class Holding(ScriptedEngine):
    """Holds what `held` says: adapters by their keys, with their directories. While `loads` or
    `turns` is cleared, these wait; a directory that is named `bad` is refused, and one that is
    named `stuck` stays."""

    def __init__(self, prompter: Prompter) -> None:
        replies = Script.model_validate({"replies": [{"match": "", "turn": "all\nHello"}]})
        super().__init__(replies, prompter.tokenizer)
        self.held: dict[str, Path] = {}
        self.asked: list[str | None] = []
        self.loads, self.turns = threading.Event(), threading.Event()
        self.loads.set()
        self.turns.set()

    async def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        assert request.turn.adapter is None or request.turn.adapter in self.held
        self.asked.append(request.turn.adapter)
        await passed(self.turns)
        async for chunk in super().generate(request):
            yield chunk

    async def load_adapter(self, key: str, name: str, directory: Path) -> None:
        await passed(self.loads)
        if directory.name == "bad":
            raise RequestError(f"The adapter {name} is bad.", "lora_path")
        assert key not in self.held
        self.held[key] = directory

    async def unload_adapter(self, key: str, name: str) -> None:
        if self.held.pop(key).name == "stuck":
            raise EngineError(f"The adapter {name} is stuck.")


async def passed(gate: threading.Event) -> None:
    while not gate.is_set():  # noqa: ASYNC110 -- which is set on another thread
        await asyncio.sleep(0.001)


@pytest.fixture
def engine(prompter: Prompter) -> Holding:
    return Holding(prompter)


@pytest.fixture
def model(prompter: Prompter, engine: Holding) -> Model:
    names = ("m", "m-too")
    return Model(names, prompter, engine, adapters=Adapters(names=names))


@pytest.fixture
def served(model: Model) -> Iterator[Served]:
    with serving(model) as served:
        yield served


@pytest.fixture
def place(tmp_path: Path) -> str:
    return made(tmp_path / "poet")


def made(directory: Path) -> str:
    directory.mkdir()
    return str(directory)


def load(served: Served, name: Any, path: Any) -> httpx.Response:
    return served.http.post(LOAD, json={"lora_name": name, "lora_path": path})


def unload(served: Served, name: Any) -> httpx.Response:
    return served.http.post(UNLOAD, json={"lora_name": name})


def chat(served: Served, model: str, **fields: Any) -> httpx.Response:
    return served.http.post(CHAT, json={"model": model, "messages": HI, **fields})


def told(response: httpx.Response, status: int = 400) -> str:
    """What an error says, which has OpenAI's body."""
    assert response.status_code == status, response.text
    return str(response.json()["error"]["message"])


def listed(served: Served) -> list[str]:
    return [card.id for card in served.client.models.list()]


@contextmanager
def at_once(*work: Callable[[], httpx.Response]) -> Iterator[list[Future[httpx.Response]]]:
    with ThreadPoolExecutor(len(work)) as pool:
        yield [pool.submit(one) for one in work]


def test_one_comes_answers_and_goes(served: Served, engine: Holding, place: str) -> None:
    before = served.http.get("/openapi.json").json()
    answer = load(served, "poet", place)
    assert answer.status_code == 200
    assert answer.text == "Success: LoRA adapter 'poet' added successfully."
    assert answer.headers["content-type"].startswith("text/plain")
    assert engine.held == {"poet": Path(place)}
    assert listed(served) == ["m", "m-too", "poet"]
    card = served.client.models.retrieve("poet").to_dict()
    assert (card["parent"], card["root"]) == ("m", place)
    assert chat(served, "poet").json()["model"] == "poet"
    assert engine.asked == ["poet"]
    fields = served.http.get("/openapi.json").json()["components"]["schemas"]["ChatRequest"]
    assert "poet" in fields["properties"]["model"]["enum"]

    answer = unload(served, "poet")
    assert answer.status_code == 200
    assert answer.text == "Success: LoRA adapter 'poet' removed successfully."
    assert engine.held == {}
    assert listed(served) == ["m", "m-too"]
    assert told(chat(served, "poet"), 404) == "The model `poet` does not exist."
    assert served.http.get("/v1/models/poet").status_code == 404
    assert served.http.get("/openapi.json").json() == before


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"lora_name": "poet"},
        {"lora_name": "poet", "lora_path": ""},
        {"lora_name": "poet", "lora_path": None},
        {"lora_name": "", "lora_path": "/"},
        {"lora_path": "/"},
    ],
)
def test_to_load_takes_both(served: Served, body: Any) -> None:
    refused = served.http.post(LOAD, json=body)
    assert told(refused) == "Both 'lora_name' and 'lora_path' must be provided."
    assert refused.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("body", [{}, {"lora_name": ""}, {"lora_name": None, "lora_int_id": None}])
def test_to_unload_takes_a_name(served: Served, body: Any) -> None:
    wanted = "either 'lora_name' and 'lora_int_id' needs to be provided."
    assert told(served.http.post(UNLOAD, json=body)) == wanted


def test_a_number_may_be_there_beside_the_name(served: Served, place: str) -> None:
    load(served, "poet", place)
    assert "by name" in told(served.http.post(UNLOAD, json={"lora_int_id": 1}))
    assert listed(served)[-1] == "poet"
    body = {"lora_name": "poet", "lora_int_id": 1}
    assert served.http.post(UNLOAD, json=body).status_code == 200


@pytest.mark.parametrize("path", [LOAD, UNLOAD])
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b'{"lora_name": 3, "lora_path": "/"}', 400),
        (b'{"lora_name": "a", "lora_path": "/", "load_inplace": true}', 400),
        (b'{"lora_name": "a\\ud800", "lora_path": "/"}', 400),
        (b'{"lora_name": "a", "lora_path": "%b"}' % (b"/" * 5_000), 400),
    ],
)
def test_what_is_no_such_request_is_refused(
    served: Served, path: str, body: bytes, status: int
) -> None:
    told(served.http.post(path, content=body), status)
    told(served.http.post(path, content=body, headers={"content-type": "text/plain"}), 415)
    told(served.http.get(path), 405)


def test_a_name_is_taken_once(served: Served, engine: Holding, place: str) -> None:
    assert load(served, "poet", place).status_code == 200
    assert told(load(served, "poet", "/nowhere")) == (
        "The lora adapter 'poet' has already been loaded."
    )
    assert "the model's own name" in told(load(served, "m-too", place))
    assert engine.held.keys() == {"poet"}


def test_who_is_not_there_cannot_go(served: Served) -> None:
    assert told(unload(served, "poet")) == "The lora adapter 'poet' cannot be found."
    assert told(unload(served, "m")) == "The lora adapter 'm' cannot be found."


@pytest.mark.parametrize("path", ["/no/where", "meetkai/functionary", "a\0b", "~", "x" * 4000])
def test_it_has_to_be_a_directory(served: Served, engine: Holding, path: str) -> None:
    told(load(served, "poet", path))
    assert listed(served) == ["m", "m-too"]
    assert engine.held == {}


def test_what_the_engine_refuses_is_not_there(
    served: Served, engine: Holding, tmp_path: Path, place: str
) -> None:
    assert told(load(served, "poet", made(tmp_path / "bad"))) == "The adapter poet is bad."
    assert listed(served) == ["m", "m-too"]
    assert load(served, "poet", place).status_code == 200
    assert chat(served, "poet").status_code == 200


def test_an_engine_that_fails_to_let_go_is_told_of(served: Served, tmp_path: Path) -> None:
    load(served, "poet", made(tmp_path / "stuck"))
    assert told(unload(served, "poet"), 500) == "The adapter poet is stuck."
    assert listed(served) == ["m", "m-too"]


def test_of_loads_at_once_one_wins(served: Served, engine: Holding, place: str) -> None:
    engine.loads.clear()
    with at_once(*[lambda: load(served, "poet", place)] * 4) as answers:
        assert chat(served, "m").status_code == 200
        assert told(chat(served, "poet"), 404)
        engine.loads.set()
    codes = sorted(answer.result().status_code for answer in answers)
    assert codes == [200, 400, 400, 400]
    losers = [a.result() for a in answers if a.result().status_code == 400]
    assert {told(loser) for loser in losers} == {"The lora adapter 'poet' has already been loaded."}


@pytest.mark.parametrize("stream", [False, True])
def test_who_goes_lets_turns_end_and_begins_none(
    served: Served, engine: Holding, place: str, stream: bool
) -> None:
    load(served, "poet", place)
    engine.turns.clear()
    asks = [lambda: chat(served, "poet", stream=stream, n=2), lambda: unload(served, "poet")]
    with ThreadPoolExecutor(3) as pool:
        running = pool.submit(asks[0])
        until(lambda: len(engine.asked) == 2, 30)
        going = pool.submit(asks[1])
        until(lambda: listed(served) == ["m", "m-too"], 30)
        assert told(chat(served, "poet"), 404) == "The model `poet` does not exist."
        assert told(unload(served, "poet")) == "The lora adapter 'poet' cannot be found."
        assert not going.done()
        assert "poet" in engine.held
        engine.turns.set()
        assert running.result().status_code == 200
        assert (
            running.result().text.count("Hello") == 2
            if not stream
            else "[DONE]" in (running.result().text)
        )
        assert going.result().status_code == 200
    assert engine.held == {}


def test_who_leaves_does_not_keep_it(served: Served, engine: Holding, place: str) -> None:
    load(served, "poet", place)
    engine.turns.clear()
    with pytest.raises(httpx.ReadTimeout):
        served.http.post(CHAT, json={"model": "poet", "messages": HI}, timeout=0.5)
    assert unload(served, "poet").status_code == 200


def test_the_name_is_free_while_the_last_turns_of_another_run(
    served: Served, engine: Holding, tmp_path: Path
) -> None:
    first, second = made(tmp_path / "first"), made(tmp_path / "second")
    load(served, "poet", first)
    engine.turns.clear()
    with at_once(lambda: chat(served, "poet")) as (running,):
        until(lambda: bool(engine.asked), 30)
        with at_once(lambda: unload(served, "poet")) as (going,):
            until(lambda: "poet" not in listed(served), 30)
            assert load(served, "poet", second).status_code == 200
            assert sorted(engine.held.values()) == [Path(first), Path(second)]
            engine.turns.set()
        assert going.result().status_code == 200
        assert running.result().status_code == 200
    assert list(engine.held.values()) == [Path(second)]
    # No key comes twice: what was computed by one is never taken for another's.
    assert engine.held.keys() != {"poet"}
    assert chat(served, "poet").status_code == 200
    assert engine.asked[-1] in engine.held


def test_a_turn_that_was_prepared_before_is_not_anothers(
    model: Model, engine: Holding, tmp_path: Path
) -> None:
    from functionary_sgl.chat.conversation import Conversation, Message
    from functionary_sgl.engines.base import Sampling

    conversation = Conversation((Message("user", "Hi"),))

    async def prepared() -> Any:
        adapter = model.adapter("poet")
        return await model.prepare(conversation, Sampling(), 9, adapter=adapter)

    async def run() -> None:
        await model.adapters.load(engine, "poet", made(tmp_path / "first"))
        turn = await prepared()
        await model.adapters.unload(engine, "poet")
        await model.adapters.load(engine, "poet", made(tmp_path / "second"))
        with pytest.raises(RequestError, match="The model `poet` does not exist"):
            await anext(model.run(conversation, turn))
        another = await prepared()
        assert another.salt != turn.salt
        assert another.adapter != turn.adapter

    asyncio.run(run())


def test_they_come_from_where_the_operator_allows(
    prompter: Prompter, engine: Holding, tmp_path: Path
) -> None:
    allowed, other = tmp_path / "allowed", tmp_path / "other"
    made(allowed)
    inside, outside = made(allowed / "a"), made(other)
    (allowed / "link").symlink_to(other)
    adapters = Adapters({"first": outside}, directories=[str(allowed)])
    with serving(Model(("m",), prompter, engine, adapters=adapters)) as served:
        for path in (
            *(outside, f"{allowed}/link", f"{allowed}/../other", "/", f"{other}/nowhere"),
            f"{allowed}-too",
        ):
            assert "--lora-dirs" in told(load(served, "b", path))
        assert load(served, "b", inside).status_code == 200
        assert listed(served) == ["m", "first", "b"]


def test_an_adapter_of_the_start_goes_as_others_do(
    prompter: Prompter, engine: Holding, place: str
) -> None:
    engine.held["poet"] = Path(place)
    with serving(Model(("m",), prompter, engine, adapters=Adapters({"poet": place}))) as served:
        assert told(load(served, "poet", place)).endswith("has already been loaded.")
        assert chat(served, "poet").status_code == 200
        assert unload(served, "poet").status_code == 200
        assert engine.held == {}
    with pytest.raises(UsageError, match="the model's own name, m"):
        Adapters({"m": place}, names=["m"])


ADMIN = replace(Key.of("root"), name="ops", is_admin=True)


@pytest.mark.parametrize("path", [LOAD, UNLOAD])
@pytest.mark.parametrize(
    ("keys", "sent", "status"),
    [
        (["user", ADMIN], None, 401),
        (["user", ADMIN], "user", 403),
        (["user", ADMIN], "root", 400),
        (["user"], "user", 403),
        ([ADMIN], "root", 400),
        ([], None, 400),
        ([], "any", 400),
    ],
)
def test_where_there_are_keys_it_takes_the_admins(
    model: Model, path: str, keys: list[str | Key], sent: str | None, status: int
) -> None:
    headers = {} if sent is None else {"x-api-key": sent}
    with serving(model, keys) as served:
        message = told(served.http.post(path, json={}, headers=headers), status)
        assert status != 403 or "FUNCTIONARY_ADMIN_API_KEY" in message


@pytest.mark.parametrize(
    ("address", "status"),
    [
        *(("127.0.0.1", 400), ("127.9.9.9", 400), ("::1", 400), ("::ffff:127.0.0.1", 400)),
        *(("10.0.0.1", 403), ("::ffff:10.0.0.1", 403), ("2001:db8::1", 403), ("testclient", 403)),
    ],
)
def test_without_keys_it_takes_to_be_on_this_machine(
    model: Model, address: str, status: int
) -> None:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(create_app(model), client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://m") as client:
            return await client.post(LOAD, json={})

    told(asyncio.run(ask()), status)


def test_the_scripted_engine_has_none(serve: Callable[..., Served], place: str) -> None:
    served = serve({"turn": "all\nHello"})
    assert "no weights" in told(load(served, "poet", place))

"""What is kept of responses: what goes on from it, how long, and whose it is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai
import pytest

from functionary_sgl.api.responses.store import Bounds, ResponseStore
from functionary_sgl.errors import BrokenChain, UsageError
from tests.api.responses.asking import CALL, NAME, TOOL
from tests.formats import PROMPTERS
from tests.serving import Served, scripted_model, serving

Serve = Callable[..., Served]
MOST, SIZE = 100, 2**20


def response(id: str, previous: str | None = None, text: str = "Hello") -> dict[str, Any]:
    output = [{"id": f"msg_{id}", "type": "message", "content": text}]
    return {"id": id, "previous_response_id": previous, "status": "completed", "output": output}


def message(id: str) -> dict[str, Any]:
    return {"id": id, "type": "message", "role": "user"}


def ids(store: ResponseStore, id: str, tenant: bytes = b"", *, answer: bool = True) -> list[str]:
    return [item["id"] for item in store.said(tenant, id, MOST, SIZE, answer=answer)]


def test_what_is_kept_is_found_by_those_who_may() -> None:
    store = ResponseStore()
    assert store.keep(b"a", response("r1"), [message("m1")])
    assert store.get(b"a", "r1") == response("r1")
    assert store.item(b"a", "m1") == message("m1")
    assert ids(store, "r1", b"a") == ["m1", "msg_r1"]
    for found in (store.get(b"b", "r1"), store.item(b"b", "m1"), store.delete(b"b", "r1") or None):
        assert found is None
    with pytest.raises(BrokenChain, match="'r1' not found"):
        ids(store, "r1", b"b")


def test_a_response_goes_on_from_others() -> None:
    store = ResponseStore()
    store.keep(b"", response("r1"), [message("m1")])
    store.keep(b"", response("r2", "r1"), [message("m2")])
    store.keep(b"", response("r3", "r2"), [message("m3")])
    assert ids(store, "r3") == ["m1", "msg_r1", "m2", "msg_r2", "m3", "msg_r3"]
    assert ids(store, "r2", answer=False) == ["m1", "msg_r1", "m2"]
    with pytest.raises(BrokenChain, match="too much"):
        store.said(b"", "r3", 2, SIZE, answer=True)
    with pytest.raises(BrokenChain, match="too much"):
        store.said(b"", "r3", MOST, 100, answer=True)
    assert store.delete(b"", "r1")
    assert not store.delete(b"", "r1")
    assert store.item(b"", "m1") is None
    with pytest.raises(BrokenChain, match="'r3' goes on from 'r1', which is not kept"):
        ids(store, "r3")


def test_what_is_too_old_is_forgotten_and_what_is_used_is_not_old() -> None:
    now = [0.0]
    store = ResponseStore(Bounds(seconds=10), clock=lambda: now[0])
    store.keep(b"", response("r1"), [message("m1")])
    store.keep(b"", response("r2", "r1"), [])
    store.keep(b"", response("r3"), [])
    now[0] = 8
    assert ids(store, "r2") == ["m1", "msg_r1", "msg_r2"]
    now[0] = 16
    assert ids(store, "r2") == ["m1", "msg_r1", "msg_r2"]
    assert store.get(b"", "r3") is None
    now[0] = 40
    assert store.get(b"", "r1") is None
    assert store.item(b"", "m1") is None


def test_where_there_is_no_room_the_one_with_the_most_loses_its_oldest() -> None:
    now = iter(range(1000))
    store = ResponseStore(Bounds(responses=4), clock=lambda: next(now))
    store.keep(b"quiet", response("q"), [])
    for number in range(9):
        assert store.keep(b"loud", response(f"r{number}"), [])
    assert store.get(b"quiet", "q") is not None
    kept = [number for number in range(9) if store.get(b"loud", f"r{number}")]
    assert kept == [6, 7, 8]


def test_the_size_is_bounded_too() -> None:
    store = ResponseStore(Bounds(size=8000))
    assert store.bounds.largest == 2000
    assert not store.keep(b"", response("large", text="x" * 2000), [])
    for number in range(9):
        assert store.keep(b"", response(f"r{number}", text="x" * 1500), [])
    assert [store.get(b"", f"r{number}") is not None for number in range(9)].count(True) == 4
    assert not ResponseStore(Bounds(responses=0)).keep(b"", response("r"), [])


def test_a_file_keeps_them_for_the_next_server(tmp_path: Path) -> None:
    path = tmp_path / "responses.db"
    store = ResponseStore(path=path)
    store.keep(b"key", response("r1"), [message("m1")])
    store.close()
    assert path.stat().st_mode & 0o077 == 0
    again = ResponseStore(path=path)
    assert ids(again, "r1", b"key") == ["m1", "msg_r1"]
    again.close()
    assert b"key" not in path.read_bytes()


def test_a_file_of_others_is_left_alone(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a database, but a text that is long enough to look like one" * 99)
    with pytest.raises(UsageError, match=r"notes\.txt cannot be opened"):
        ResponseStore(path=text)
    with pytest.raises(UsageError, match="cannot be opened"):
        ResponseStore(path=tmp_path / "nowhere" / "x.db")
    assert text.read_text().startswith("not a database")


def test_a_conversation_goes_on_by_id(serve: Serve) -> None:
    served = serve({"match": "Rome", "turn": CALL}, {"match": "sunny", "turn": "all\nSunny."})
    client = served.client.responses
    first = client.create(model="m", input="Rome?", tools=[TOOL], instructions="Be brief.")
    (call,) = first.output
    assert call.type == "function_call"
    result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
    second = client.create(
        model="m", input=[result], tools=[TOOL], previous_response_id=first.id, stream=True
    )
    last = list(second)[-1]
    assert last.type == "response.completed"
    assert last.response.output_text == "Sunny."
    assert last.response.previous_response_id == first.id
    assert client.retrieve(last.response.id).output_text == "Sunny."
    told = client.input_items.list(last.response.id, order="asc")
    assert [item.type for item in told] == ["message", "function_call", "function_call_output"]
    sent: Any = [{"role": "user", "content": "Rome?"}, call.to_dict(), result]
    whole = client.create(model="m", input=sent, tools=[TOOL])
    assert whole.usage is not None
    assert last.response.usage is not None
    assert whole.usage.input_tokens == last.response.usage.input_tokens


def test_items_are_referred_to_by_their_ids(serve: Serve) -> None:
    served = serve({"match": "Rome", "turn": CALL}, {"match": "sunny", "turn": "all\nSunny."})
    client = served.client.responses
    first = client.create(model="m", input="Rome?", tools=[TOOL])
    (call,) = first.output
    assert call.type == "function_call"
    items: Any = [
        {"role": "user", "content": "Rome?"},
        {"type": "item_reference", "id": call.id},
        {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"},
    ]
    assert client.create(model="m", input=items, tools=[TOOL]).output_text == "Sunny."
    with pytest.raises(openai.NotFoundError, match=r"msg_9.*not found"):
        client.create(model="m", input=[{"type": "item_reference", "id": "msg_9"}])


def test_pages_of_items(serve: Serve) -> None:
    served = serve({"turn": "all\nHello"})
    items: Any = [
        {"role": "user", "content": str(number), "id": f"m{number}"} for number in range(5)
    ]
    made = served.client.responses.create(model="m", input=items)
    listed = served.client.responses.input_items
    assert [item.id for item in listed.list(made.id, limit=2)] == ["m4", "m3", "m2", "m1", "m0"]
    page = listed.list(made.id, limit=2, order="asc", after="m1")
    assert [item.id for item in page.data] == ["m2", "m3"]
    assert page.has_more
    for query in ("limit=0", "limit=x", "order=up", "after=m9"):
        answer = served.http.get(f"/v1/responses/{made.id}/input_items?{query}")
        assert answer.json()["error"]["param"] == query.partition("=")[0]


def test_what_is_not_to_be_kept_is_not(serve: Serve) -> None:
    served = serve({"turn": "all\nHello"})
    made = served.client.responses.create(model="m", input="Hi", store=False)
    assert made.to_dict()["store"] is False
    with pytest.raises(openai.NotFoundError):
        served.client.responses.retrieve(made.id)
    with pytest.raises(openai.BadRequestError) as refused:
        served.client.responses.create(model="m", input="Hi", previous_response_id=made.id)
    assert refused.value.code == "previous_response_not_found"
    assert refused.value.param == "previous_response_id"


def test_what_is_too_large_to_be_kept_says_so(serve: Serve) -> None:
    served = serve({"turn": "all\nHello"}, store=ResponseStore(Bounds(size=100)))
    made = served.client.responses.create(model="m", input="Hi", store=True)
    assert made.output_text == "Hello"
    assert made.to_dict()["store"] is False


def test_it_is_deleted_and_cannot_be_cancelled(serve: Serve) -> None:
    served = serve({"turn": "all\nHello"})
    made = served.client.responses.create(model="m", input="Hi")
    with pytest.raises(openai.BadRequestError, match="in the background"):
        served.client.responses.cancel(made.id)
    with pytest.raises(openai.BadRequestError) as refused:
        served.client.responses.retrieve(made.id, stream=True)
    assert refused.value.param == "stream"
    deleted = served.http.delete(f"/v1/responses/{made.id}").json()
    assert deleted == {"id": made.id, "object": "response", "deleted": True}
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/input_items")):
        answer = served.http.request(method, f"/v1/responses/{made.id}{path}", json={})
        assert answer.status_code == 404
        assert made.id in answer.json()["error"]["message"]


def test_an_answer_without_anything_in_it_is_kept_too() -> None:
    with serving(scripted_model(PROMPTERS["hermes"], {"turn": "no"})) as served:
        asked: dict[str, Any] = {"model": "m", "input": "Hi", "tool_choice": "required"}
        client = served.client.responses
        made = client.create(**asked, tools=[TOOL], max_output_tokens=1)
        assert (made.status, made.output) == ("incomplete", [])
        assert client.retrieve(made.id) == made


def test_keys_do_not_see_each_others(serve: Serve) -> None:
    served = serve({"turn": "all\nHello"}, api_keys=("one", "two"))
    one, two = (served.client.with_options(api_key=key).responses for key in ("one", "two"))
    made = one.create(model="m", input="Hi")
    assert one.retrieve(made.id).id == made.id
    for refused in (
        lambda: two.retrieve(made.id),
        lambda: two.delete(made.id),
        lambda: two.input_items.list(made.id),
        lambda: two.create(model="m", input=[{"type": "item_reference", "id": made.output[0].id}]),
    ):
        with pytest.raises(openai.NotFoundError):
            refused()
    with pytest.raises(openai.BadRequestError):
        two.create(model="m", input="Hi", previous_response_id=made.id)


def test_names_of_tools_are_kept_in_history(serve: Serve) -> None:
    served = serve({"turn": CALL})
    made = served.client.responses.create(model="m", input="Rome?", tools=[TOOL])
    assert served.client.responses.retrieve(made.id).output[0].to_dict()["name"] == NAME

"""Responses that nobody waits for: asked for by their ids, and cancelled."""

import time
from collections.abc import Callable
from typing import Any

import openai
import pytest
from openai.types.responses import Response

from functionary_sgl.api.responses.store import Bounds, ResponseStore
from tests.api.responses.asking import CALL, TOOL, comparable, said
from tests.serving import Served

Serve = Callable[..., Served]
SLOW = {"turn": "all\nOne. Two. Three. Four. Five.", "delay": 0.05}


def begun(served: Served, **fields: Any) -> Response:
    made = served.client.responses.create(model="m", input="Hi", background=True, **fields)
    assert made.status == "in_progress"
    assert made.background
    return made


def ended(served: Served, id: str) -> Response:
    """The response of this `id`, when it has come to its end."""
    end = time.monotonic() + 10
    while (found := served.client.responses.retrieve(id)).status == "in_progress":
        assert time.monotonic() < end, "it does not end"
        time.sleep(0.01)
    return found


def test_it_is_the_same_as_if_somebody_had_waited(serve: Serve) -> None:
    served = serve({"turn": CALL})
    made = ended(served, begun(served, tools=[TOOL]).id)
    waited = served.client.responses.create(model="m", input="Hi", tools=[TOOL])
    assert comparable(made) == {**comparable(waited), "background": True}
    (item,) = served.client.responses.input_items.list(made.id)
    assert item.type == "message"
    following = served.client.responses.create(
        model="m", input="And?", tools=[TOOL], previous_response_id=made.id
    )
    assert following.status == "completed"
    assert served.client.responses.cancel(made.id).status == "completed"


def test_what_is_cancelled_ends_with_what_it_has(serve: Serve) -> None:
    served = serve(SLOW)
    made = begun(served)
    time.sleep(0.2)
    for _ in range(2):
        cancelled = served.client.responses.cancel(made.id)
        assert (cancelled.id, cancelled.status) == (made.id, "cancelled")
    assert served.client.responses.retrieve(made.id).status == "cancelled"
    assert served.model.engine.running == 0  # type: ignore[attr-defined]
    assert served.model.admission.running == 0


def test_what_fails_says_why(serve: Serve) -> None:
    served = serve({"turn": "all\nOne two three", "fault": "fail", "after": 2})
    found = ended(served, begun(served).id)
    assert found.status == "failed"
    assert found.error is not None
    assert "failed" in found.error.message


def test_nothing_goes_on_from_what_is_still_being_made(serve: Serve) -> None:
    served = serve(SLOW)
    made = begun(served)
    with pytest.raises(openai.BadRequestError, match="still being made") as refused:
        served.client.responses.create(model="m", input="Hi", previous_response_id=made.id)
    assert refused.value.param == "previous_response_id"
    assert said(ended(served, made.id)) == [("message", "One. Two. Three. Four. Five.")]


def test_what_is_deleted_is_not_made_any_more(serve: Serve) -> None:
    served = serve(SLOW)
    made = begun(served)
    served.client.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError):
        served.client.responses.retrieve(made.id)
    assert served.model.engine.running == 0  # type: ignore[attr-defined]


def test_only_its_key_knows_of_it(serve: Serve) -> None:
    served = serve(SLOW, api_keys=("one", "two"))
    one, two = (served.client.with_options(api_key=key).responses for key in ("one", "two"))
    made = one.create(model="m", input="Hi", background=True)
    for refused in (two.retrieve, two.cancel, two.delete):
        with pytest.raises(openai.NotFoundError):
            refused(made.id)
    assert one.cancel(made.id).status == "cancelled"


def test_what_a_server_left_behind_has_failed(serve: Serve) -> None:
    store = ResponseStore()
    served = serve(SLOW, store=store)
    made = served.client.responses.create(model="m", input="Hi")
    left = {**made.to_dict(), "id": "resp_left", "status": "in_progress", "background": True}
    store.keep(b"", left, [])
    found = served.client.responses.retrieve("resp_left")
    assert found.status == "failed"
    assert found.error is not None
    assert "ended" in found.error.message


def test_what_cannot_be_kept_is_refused(serve: Serve) -> None:
    served = serve(SLOW, store=ResponseStore(Bounds(size=100)))
    with pytest.raises(openai.BadRequestError, match="too large") as refused:
        served.client.responses.create(model="m", input="Hi", background=True)
    assert refused.value.param == "background"
    assert served.model.admission.running + served.model.admission.waiting == 0

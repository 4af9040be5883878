import json
from typing import Any

import pytest

from functionary_sgl.api.chat import intake
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.errors import RequestError

ASKED = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {"id": "a", "type": "function", "function": {"name": "now", "arguments": "{}"}},
        {"id": "b", "type": "function", "function": {"name": "then", "arguments": "{}"}},
    ],
}


def result(content: str, **fields: Any) -> dict[str, Any]:
    return {"role": "tool", "content": content, **fields}


def contents(*messages: dict[str, Any]) -> list[tuple[str, str | None]]:
    body = json.dumps({"model": "m", "messages": list(messages)})
    conversation = intake.conversation(ChatRequest.from_json(body))
    return [(message.content, message.name) for message in conversation.messages[1:]]


def test_results_stand_in_the_order_of_their_calls() -> None:
    results = result("B", tool_call_id="b"), result("A", tool_call_id="a")
    assert contents(ASKED, *results) == [("A", "now"), ("B", "then")]


def test_results_without_ids_take_the_places_that_are_left() -> None:
    results = result("B", tool_call_id="b"), result("A")
    assert contents(ASKED, *results) == [("A", "now"), ("B", "then")]


def test_missing_results_are_fine() -> None:
    assert contents(ASKED) == []
    assert contents(ASKED, result("B", tool_call_id="b")) == [("B", "then")]


def test_results_without_any_ids_keep_their_order() -> None:
    calls = [{"function": call["function"]} for call in ASKED["tool_calls"]]  # type: ignore
    asked = {**ASKED, "tool_calls": calls}
    results = result("1", tool_call_id="x"), result("2", tool_call_id="y")
    assert contents(asked, *results) == [("1", "now"), ("2", "then")]


def test_more_results_than_calls_come_last() -> None:
    results = result("C"), result("A", tool_call_id="a"), result("D"), result("E")
    assert [content for content, _ in contents(ASKED, *results)] == ["A", "C", "D", "E"]


@pytest.mark.parametrize("before", [ASKED, {"role": "user", "content": "Hi"}])
def test_an_id_that_no_call_has_is_refused_by_name(before: dict[str, Any]) -> None:
    with pytest.raises(RequestError, match="'zz'") as caught:
        contents(before, result("A", tool_call_id="zz"))
    assert caught.value.param == "messages[1].tool_call_id"

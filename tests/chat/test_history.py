import json
import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from functionary_sgl.api.chat import intake
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.chat.conversation import Call, Conversation, Message
from functionary_sgl.chat.history import in_call_order, one_by_one
from functionary_sgl.errors import RequestError
from functionary_sgl.turns import FORMATS
from tests.formats import PROMPTERS

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


def conversation(*messages: dict[str, Any]) -> Conversation:
    body = json.dumps({"model": "m", "messages": list(messages)})
    return intake.conversation(ChatRequest.from_json(body))


def contents(*messages: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(message.content, message.name) for message in conversation(*messages).messages[1:]]


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


WAIT = {"role": "user", "content": "Wait."}


def asking(*calls: tuple[str | None, str]) -> dict[str, Any]:
    made = [{"id": id, "function": {"name": name, "arguments": "{}"}} for id, name in calls]
    return {"role": "assistant", "content": None, "tool_calls": made}


def told(*messages: dict[str, Any]) -> list[str]:
    """The messages as they are shown: calls by their names, results with their function's."""
    shown = []
    for message in conversation(*messages).messages:
        called = ",".join(call.name for call in message.calls)
        name = f"{message.name}=" if message.role == "tool" else ""
        shown.append(called or f"{name}{message.content}")
    return shown


def test_calls_of_one_id_take_results_in_their_order() -> None:
    asked = asking(("x", "time"), ("x", "sky"))
    results = result("12", tool_call_id="x"), result("blue", tool_call_id="x")
    assert told(asked, *results) == ["time,sky", "time=12", "sky=blue"]
    first, second = conversation(asked, *results).messages[0].calls
    assert first.id != second.id
    answered = [m.call_id for m in conversation(asked, *results).messages[1:]]
    assert answered == [first.id, second.id]


def test_ids_that_come_again_are_those_of_the_nearest_calls() -> None:
    first, second = asking(("call_0", "f")), asking(("call_0", "g"))
    one, two = result("1", tool_call_id="call_0"), result("2", tool_call_id="call_0")
    assert told(first, one, WAIT, second, two) == ["f", "f=1", "Wait.", "g", "g=2"]
    assert told(first, WAIT, second, two) == ["f", "Wait.", "g", "g=2"]
    # The beginning is cut off: the call of the first result is not the one that comes later.
    assert told(one, WAIT, second, two) == ["None=1", "Wait.", "g", "g=2"]


def test_results_go_behind_their_calls_wherever_they_stand() -> None:
    asked = asking(("a", "f"), ("b", "g"))
    a, b = result("A", tool_call_id="a"), result("B", tool_call_id="b")
    shown = ["f,g", "f=A", "g=B", "Wait."]
    assert told(asked, b, WAIT, a) == shown
    assert told(asked, WAIT, b, a) == shown
    assert told(b, asked, WAIT, a) == shown
    assert told(asked, WAIT, result("A"), b) == shown
    assert told(asked, WAIT, {"role": "function", "name": "g", "content": "B"}, a) == shown


def test_more_results_of_one_call_stay_together() -> None:
    asked = asking(("a", "f"), ("b", "g"))
    results = [result(text, tool_call_id=text[0]) for text in ("a1", "b1", "a2")]
    assert told(asked, *results) == ["f,g", "f=a1", "f=a2", "g=b1"]


def test_a_result_without_id_is_that_of_its_name() -> None:
    asked = asking((None, "f"), (None, "g"))
    named = {"role": "function", "name": "g", "content": "G"}
    assert told(asked, named, result("F")) == ["f,g", "f=F", "g=G"]


@pytest.mark.parametrize(
    "before", [(), (WAIT,), (ASKED, result("A", tool_call_id="a"), result("B"))]
)
def test_what_is_left_of_a_history_is_shown_as_it_stands(before: tuple[Any, ...]) -> None:
    left = result("L", tool_call_id="zz"), result("M", tool_call_id="yy", name="f")
    assert told(*before, *left, WAIT)[-3:] == ["None=L", "f=M", "Wait."]


@pytest.mark.parametrize("between", [(), (WAIT,)])
def test_an_id_that_no_call_has_is_refused_where_one_waits(between: tuple[Any, ...]) -> None:
    left = len(between) + 2
    with pytest.raises(RequestError, match=r"'zz'.*Waiting .*: 'b'\.") as caught:
        told(ASKED, result("A", tool_call_id="a"), *between, result("?", tool_call_id="zz"))
    assert caught.value.param == f"messages[{left}].tool_call_id"


IDS = st.sampled_from(["a", "b", "", None])
HISTORIES = st.lists(
    st.lists(st.tuples(IDS, st.sampled_from("fg")), max_size=3).map(lambda calls: asking(*calls))
    | st.builds(lambda id: result("R", tool_call_id=id), IDS)
    | st.just(WAIT),
    min_size=1,
    max_size=8,
)


@given(HISTORIES)
def test_nothing_is_lost_and_the_same_is_said_again(history: list[dict[str, Any]]) -> None:
    shown: list[Message] = []
    with suppress(RequestError):
        shown += conversation(*history).messages
    assume(shown)
    roles = [message.role for message in shown]
    assert sorted(roles) == sorted(message["role"] for message in history)
    others = [m for m in history if m["role"] != "tool"]
    assert [m.role for m in shown if m.role != "tool"] == [m["role"] for m in others]
    for message in shown:
        ids = [call.id or call.name for call in message.calls]
        assert len(set(ids)) == len(ids)
    assert in_call_order(shown) == shown


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_shows_them(format: str) -> None:
    left, late = result("left", tool_call_id="zz"), result("late", tool_call_id="a")
    asked = asking(("a", "time"))
    for messages in ([WAIT, left, WAIT], [left, WAIT], [WAIT, asked, WAIT, late]):
        shown = str(PROMPTERS[format].prompt(conversation(*messages)))
        assert ("late" if late in messages else "left") in shown


@pytest.mark.parametrize(
    ("format", "named"), [("v2", "<|from|>{}"), ("v2.llama3", "name={}"), ("v1", "name={}")]
)
def test_prompts_that_name_functions_name_the_right_ones(format: str, named: str) -> None:
    asked = asking(("x", "get_time"), ("x", "get_sky"))
    results = result("12", tool_call_id="x"), result("blue", tool_call_id="x")
    shown = str(PROMPTERS[format].prompt(conversation(WAIT, asked, *results)))
    places = [shown.find(named.format(name)) for name in ("get_time", "get_sky")]
    assert -1 < places[0] < shown.find("12") < places[1] < shown.find("blue")


def test_prompts_that_have_ids_tell_calls_apart() -> None:
    asked = asking(("x", "get_time"), ("x", "get_sky"))
    results = result("12", tool_call_id="x"), result("blue", tool_call_id="x")
    for format, called, answered in (
        ("mistral", r'"id": "(\w{9})"', r'"call_id": "(\w{9})"'),
        ("mistral-v11", r"\[CALL_ID\](\w{9})", r"\[TOOL_RESULTS\](\w{9})"),
    ):
        shown = str(PROMPTERS[format].prompt(conversation(WAIT, asked, *results)))
        ids = re.findall(called, shown)
        assert len(set(ids)) == 2
        assert re.findall(answered, shown) == ids


def test_a_model_that_sees_is_shown_images_in_results() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0="}}
    seen = {**result("", tool_call_id="a"), "content": [{"type": "text", "text": "Look: "}, image]}
    asked = conversation(WAIT, asking(("a", "f")), seen)
    token = FORMATS["v3.llava_llama"].image_token
    assert f"Look: {token}" in PROMPTERS["v3.llava_llama"].prompt(asked)
    with pytest.raises(RequestError, match="sees no images") as caught:
        PROMPTERS["v3.llama3"].prompt(asked)
    assert caught.value.param == "messages[2].content[1]"


def test_one_call_of_a_message_after_the_other() -> None:
    calls = tuple(Call(name, "{}", name) for name in "abc")
    results = {name: Message("tool", name.upper(), (), name, name) for name in "abcd"}
    wait = Message("user", "Wait.")
    asked, first, second, third = (
        Message("assistant", "Hm.", calls),
        Message("assistant", "Hm.", calls[:1]),
        Message("assistant", calls=calls[1:2]),
        Message("assistant", calls=calls[2:]),
    )
    a, b, c, d = results.values()
    lost = Message("assistant", calls=(Call("d", "{}", "d"),))
    for history, shown in (
        ([asked, a, b, c, wait], [first, a, second, b, third, c, wait]),
        ([asked, c, wait], [first, second, third, c, wait]),
        ([asked, wait], [first, second, third, wait]),
        ([asked], [first, second, third]),
        ([first, a, wait], [first, a, wait]),
        ([d, wait], [lost, d, wait]),
        ([wait, Message("assistant", "Ok."), d], [wait, Message("assistant", "Ok."), lost, d]),
    ):
        assert one_by_one(history) == shown

"""Messages as clients send them back: what other servers told them, parsed, or left out."""

import json
from typing import Any

import pytest

from functionary_sgl.api.chat.messages import messages
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.chat.conversation import Image, Message
from functionary_sgl.errors import RequestError

USER = {"role": "user", "content": "Hi"}


def read(*asked: dict[str, Any]) -> tuple[Message, ...]:
    body = json.dumps({"model": "m", "messages": [USER, *asked]})
    return messages(ChatRequest.from_json(body).messages)[1:]


def assistant(*parts: Any, **fields: Any) -> Message:
    (message,) = read({"role": "assistant", "content": list(parts), **fields})
    return message


@pytest.mark.parametrize("kind", ["text", "input_text", "output_text"])
@pytest.mark.parametrize("role", ["system", "developer", "user", "assistant", "tool", "function"])
def test_parts_of_text(role: str, kind: str) -> None:
    part = {"type": kind, "text": "a"}
    assert [m.content for m in read({"role": role, "content": [part, part]})] == ["aa"]


@pytest.mark.parametrize("role", ["system", "user", "assistant", "tool"])
@pytest.mark.parametrize("content", ["", []])
def test_content_may_be_empty(role: str, content: Any) -> None:
    assert [m.content for m in read({"role": role, "content": content})] == [""]


@pytest.mark.parametrize("role", ["assistant", "tool", "function"])
def test_content_may_be_null_where_nothing_may_be_said(role: str) -> None:
    for message in ({"role": role, "content": None}, {"role": role}):
        assert [m.content for m in read(message)] == [""]


@pytest.mark.parametrize("role", ["system", "developer", "user"])
def test_else_it_may_not(role: str) -> None:
    with pytest.raises(RequestError, match="null") as caught:
        read({"role": role, "content": None})
    assert caught.value.param == "messages[1].content"


@pytest.mark.parametrize(
    ("asked", "role"),
    [("User", "user"), ("SYSTEM", "system"), ("Tool", "tool"), ("Function", "tool")],
)
def test_roles_in_any_case(asked: str, role: str) -> None:
    assert [m.role for m in read({"role": asked, "content": "x"})] == [role]


def test_refusals_are_text() -> None:
    refusal = {"type": "refusal", "refusal": "No."}
    assert assistant(refusal).content == "No."
    assert assistant({"type": "text", "text": "Hm. "}, refusal).content == "Hm. No."
    (message,) = read({"role": "assistant", "content": None, "refusal": "No."})
    assert message.content == "No."
    assert assistant({"type": "text", "text": "Yes."}, refusal=None).content == "Yes."


@pytest.mark.parametrize(
    "part",
    [
        {"type": "thinking", "thinking": "so", "signature": "x"},
        {"type": "thinking", "thinking": [{"type": "text", "text": "so"}]},
        {"type": "thinking", "text": "so"},
        {"type": "reasoning", "reasoning": "so"},
        {"type": "reasoning", "text": "so"},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "so"}]},
    ],
)
def test_reasoning_in_parts(part: Any) -> None:
    message = assistant(part, {"type": "text", "text": "Yes."})
    assert (message.reasoning, message.content) == ("so", "Yes.")


def test_reasoning_beside_the_content() -> None:
    for fields in ({"reasoning": "so"}, {"reasoning_content": "so"}):
        assert assistant(**fields).reasoning == "so"
    part = {"type": "thinking", "thinking": "so"}
    assert assistant(part, part, reasoning="so", reasoning_content="so").reasoning == "so"
    assert assistant(part, reasoning="then").reasoning == "then\nso"


def test_what_only_its_maker_can_read_is_not_shown() -> None:
    for part in (
        {"type": "redacted_thinking", "data": "EjQ="},
        {"type": "reasoning", "summary": [], "encrypted_content": "EjQ="},
        {"type": "thinking", "thinking": "", "signature": "EjQ="},
    ):
        assert assistant(part) == Message("assistant")


@pytest.mark.parametrize(
    ("role", "part", "told"),
    [
        ("user", {"type": "thinking", "thinking": "x"}, "'text' or 'image_url'"),
        ("user", {"type": "refusal", "refusal": "x"}, "'text' or 'image_url'"),
        ("system", {"type": "image_url", "image_url": {"url": "x"}}, "type 'text'."),
        ("assistant", {"type": "image_url", "image_url": {"url": "x"}}, "'refusal', 'thinking'"),
        ("user", {"type": "input_audio", "input_audio": {}}, "'input_audio' cannot be shown"),
        ("tool", {"type": "tool_result", "content": "x"}, "'text' or 'image_url'"),
        ("user", {"type": "text"}, "in 'text'"),
        ("user", {"type": "image_url"}, "in 'image_url'"),
        ("assistant", {"type": "refusal", "text": "x"}, "in 'refusal'"),
        ("assistant", {"type": "thinking"}, "in 'thinking'"),
        ("assistant", {"type": "reasoning"}, "in 'reasoning'"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_what_can(role: str, part: Any, told: str) -> None:
    with pytest.raises(RequestError, match=told) as caught:
        read({"role": role, "content": [part]})
    assert caught.value.param == "messages[1].content[0]"


@pytest.mark.parametrize("role", ["user", "tool", "function"])
def test_images_are_of_users_and_of_results(role: str) -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "u"}}]
    (message,) = read({"role": role, "content": parts})
    assert message.content == "a"
    assert message.parts == ("a", Image("u"))
    assert [part.path for part in message.parts if isinstance(part, Image)] == [
        "messages[1].content[1]"
    ]


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ({"a": {"b": [1, "é"]}}, '{"a": {"b": [1, "é"]}}'),
        ({"n": 12345678901234567890}, '{"n": 12345678901234567890}'),
        ('{"a":1}', '{"a":1}'),
        ("no json", "no json"),
        ({}, "{}"),
        ("", ""),
        (None, "{}"),
    ],
)
def test_arguments_parsed_or_not(arguments: Any, shown: str) -> None:
    for fields in (
        {"tool_calls": [{"function": {"name": "f", "arguments": arguments}}]},
        {"function_call": {"name": "f", "arguments": arguments}},
    ):
        (call,) = assistant(**fields).calls
        assert call.arguments == shown


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [("x = 1", "x = 1"), ({"code": "x = 1"}, "x = 1"), ("", ""), (None, ""), ({}, "")],
)
def test_code_is_the_argument_of_the_code_interpreter(arguments: Any, shown: str) -> None:
    function = {"name": "python", "arguments": arguments}
    assert assistant(tool_calls=[{"function": function}]).calls[0].arguments == shown


def test_arguments_may_be_left_out() -> None:
    assert assistant(tool_calls=[{"function": {"name": "f"}}]).calls[0].arguments == "{}"


def test_numbers_in_parsed_arguments_are_numbers() -> None:
    call = '{"function": {"name": "f", "arguments": {"a": [1e999]}}}'
    message = f'{{"role": "assistant", "tool_calls": [{call}]}}'
    request = ChatRequest.from_json(f'{{"model": "m", "messages": [{message}]}}')
    with pytest.raises(RequestError, match="number") as caught:
        messages(request.messages)
    assert caught.value.param == "messages[0].tool_calls[0].function.arguments/a/0"

"""The input of a response: what is taken, what it means, and what is refused by name."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from functionary_sgl.api.responses import intake
from functionary_sgl.api.responses.requests import ResponsesRequest
from functionary_sgl.chat.conversation import Call, Image, Message
from functionary_sgl.errors import RequestError
from tests.api.responses.asking import TOOL, ask
from tests.formats import PROMPTERS
from tests.serving import Served, scripted_model, serving

PICTURE = "data:image/png;base64,AAAA"
CALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a": 1}'}
RESULT = {"type": "function_call_output", "call_id": "c1", "output": "ok"}
CUSTOM = {"type": "custom_tool_call", "call_id": "c2", "name": "sh", "input": "ls"}
CUSTOM_RESULT = {"type": "custom_tool_call_output", "call_id": "c2", "output": "a b"}
HI = {"role": "user", "content": "Hi"}


def read(*items: Any, **fields: Any) -> tuple[Message, ...]:
    request = ResponsesRequest.from_json(json.dumps({"input": items, **fields}))
    intake.check(request)
    return intake.conversation(request, request.items()).messages


def text(kind: str, text: str) -> dict[str, str]:
    return {"type": kind, "text": text}


def test_a_text_is_a_users_message_and_instructions_come_first() -> None:
    request = ResponsesRequest.from_json('{"input": "Hi", "instructions": "Be brief."}')
    messages = intake.conversation(request, request.items()).messages
    assert messages == (Message("system", "Be brief."), Message("user", "Hi"))


def test_messages_of_all_roles() -> None:
    assert read(
        {"role": "developer", "content": "Rules."},
        {"type": "message", "role": "user", "content": [text("input_text", "Hi")]},
        {
            "type": "message",
            "id": "msg_1",
            "status": "completed",
            "role": "assistant",
            "content": [{**text("output_text", "Hello"), "annotations": []}],
        },
        {"role": "user", "content": "Bye"},
    ) == (
        Message("system", "Rules."),
        Message("user", "Hi"),
        Message("assistant", "Hello"),
        Message("user", "Bye"),
    )


def test_what_the_assistant_did_is_one_message() -> None:
    reasoning = {"type": "reasoning", "id": "rs_1", "summary": []}
    reasoning["content"] = [text("reasoning_text", "So.")]
    answer = {"role": "assistant", "content": "Let me see."}
    assert read(HI, reasoning, answer, CALL, CUSTOM, CUSTOM_RESULT, RESULT) == (
        Message("user", "Hi"),
        Message(
            "assistant",
            "Let me see.",
            (Call("f", '{"a": 1}', "c1"), Call("sh", '{"input": "ls"}', "c2")),
            reasoning="So.",
        ),
        Message("tool", "ok", name="f", call_id="c1"),
        Message("tool", "a b", name="sh", call_id="c2"),
    )


def test_turns_are_told_apart() -> None:
    summary = {"type": "reasoning", "summary": [text("summary_text", "Again.")]}
    said = read(
        *(HI, CALL, RESULT, summary, {"role": "assistant", "content": "One."}),
        *({"role": "assistant", "content": "Two."}, {"type": "reasoning", "summary": []}),
    )
    assert [message.content for message in said] == ["Hi", "", "ok", "One.", "Two.", ""]
    assert said[3].reasoning == "Again."


def test_images_are_shown() -> None:
    image = {"type": "input_image", "image_url": PICTURE, "detail": "auto"}
    (asked, _, result) = read(
        {"role": "user", "content": [text("input_text", "What?"), image]},
        CALL,
        {**RESULT, "output": [image, text("input_text", "seen")]},
    )
    assert asked.parts == ("What?", Image(PICTURE, "input[0].content[1]"))
    assert result.parts == (Image(PICTURE), "seen")


@pytest.mark.parametrize(
    ("items", "param", "says"),
    [
        ([{"type": "web_search_call", "id": "x"}], "input[0]", "web_search_call"),
        ([{"type": "function_call", "name": "f"}], "input[0].call_id", "Missing"),
        ([3], "input[0]", "object"),
        ([{"role": "tool", "content": "x"}], "input[0].role", "assistant"),
        ([{"role": "user"}], "input[0].content", "Missing"),
        (
            [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}],
            "input[0].content[0]",
            "input_file",
        ),
        (
            [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}],
            "input[0].content[0].file_id",
            "image_url",
        ),
        (
            [{"role": "system", "content": [{"type": "input_image", "image_url": PICTURE}]}],
            "input[0].content[0]",
            "input_image",
        ),
        ([HI, CALL, {**RESULT, "call_id": "c9"}], "input[2].call_id", "'c1'"),
    ],
)
def test_what_cannot_be_shown_is_refused(items: Any, param: str, says: str) -> None:
    with pytest.raises(RequestError) as refused:
        read(*items)
    assert refused.value.param == param
    assert says in refused.value.message


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(scripted_model(PROMPTERS["v3.llama3"], {"turn": "all\nHello"})) as served:
        yield served


HOSTED = ["web_search", "file_search", "code_interpreter", "computer_use_preview", "mcp"]
HOSTED += ["image_generation", "local_shell", "web_search_preview", "shell", "apply_patch"]


@pytest.mark.parametrize("kind", HOSTED)
def test_hosted_tools_are_refused_by_name(served: Served, kind: str) -> None:
    error = ask(served, tools=[TOOL, {"type": kind}]).json()["error"]
    assert error["param"] == "tools[1]"
    assert f"'{kind}'" in error["message"]
    error = ask(served, tool_choice={"type": kind}).json()["error"]
    assert error["param"] == "tool_choice"
    assert f"'{kind}'" in error["message"]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": None}, "input"),
        ({"input": 3}, "input"),
        ({"background": True, "stream": True}, "background"),
        ({"background": True, "store": False}, "background"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"prompt": {"id": "p"}}, "prompt"),
        ({"messages": [HI]}, "messages"),
        ({"max_tokens": 3}, "max_tokens"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"guided_json": {}}, "guided_json"),
        ({"n": 2}, "n"),
        ({"stream_options": {"include_obfuscation": True}}, "stream_options.include_obfuscation"),
        ({"text": {"verbosity": "low"}}, "text.verbosity"),
        ({"reasoning": {"summary": "detailed"}}, "reasoning.summary"),
        ({"text": {"format": {"type": "xml"}}}, "text.format.type"),
        ({"text": {"format": {"type": "json_schema", "schema": {}}}}, "text.format.name"),
        (
            {"text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "x"}}}},
            "text.format.schema/type",
        ),
        ({"include": ["everything"]}, "include[0]"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"metadata": {"a": "x" * 513}}, "metadata.a"),
        ({"truncation": "middle"}, "truncation"),
        ({"tool_choice": "any"}, "tool_choice"),
        ({"tool_choice": {"type": "function", "name": "g"}}, "tool_choice"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"tools": [{"type": "custom", "name": "s", "format": {"type": "grammar"}}]}, None),
        ({"max_output_tokens": 0}, "max_output_tokens"),
    ],
    ids=json.dumps,
)
def test_what_cannot_be_honoured_is_refused_by_name(
    served: Served, fields: dict[str, Any], param: str | None
) -> None:
    answer = ask(served, **fields)
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]["param"] == (param or "tools[0].format.grammar")


@pytest.mark.parametrize(
    "fields",
    [
        {"background": False, "conversation": None, "stream_options": None, "text": None},
        {"reasoning": {"summary": "auto"}, "include": ["reasoning.encrypted_content"]},
        {"text": {"verbosity": "medium"}, "service_tier": "auto", "tools": None},
        {"tool_choice": "none", "tools": []},
        {"stream_options": {"include_obfuscation": False}, "metadata": None},
        {"temperature": 0, "top_k": 1, "seed": 3, "stop": ["x"], "logit_bias": {"1": 1}},
        {"some_field_of_a_client": [1]},
    ],
    ids=json.dumps,
)
def test_what_asks_for_nothing_else_is_taken(served: Served, fields: dict[str, Any]) -> None:
    assert ask(served, **fields).json()["status"] == "completed"


def test_too_long_an_input_is_refused_or_cut() -> None:
    reply = {"turn": "all\nHello"}
    with serving(scripted_model(PROMPTERS["v3.llama3"], reply, context=512)) as served:
        long = {"role": "user", "content": "many words " * 40}
        items = [{"role": "system", "content": "S."}, HI]
        of_one = tokens(ask(served, input=[*items, long], tools=[]))
        of_two = tokens(ask(served, input=[*items, long, long], tools=[]))
        many = [*items, *[long] * 9]
        error = ask(served, input=many, tools=[]).json()["error"]
        assert (error["code"], error["param"]) == ("context_length_exceeded", "input")
        cut = tokens(ask(served, input=many, tools=[], truncation="auto"))
        assert cut <= 511 < cut + of_two - of_one
        agent = [*items, *[{"role": "assistant", "content": long["content"]}] * 9, HI]
        assert tokens(ask(served, input=agent, tools=[], truncation="auto")) < of_one
        huge = [*many, {"role": "user", "content": "many words " * 400}]
        error = ask(served, input=huge, tools=[], truncation="auto").json()["error"]
        assert error["code"] == "context_length_exceeded"


def tokens(answer: Any) -> int:
    """Of the prompt that was answered."""
    assert answer.status_code == 200, answer.text
    counted: int = answer.json()["usage"]["input_tokens"]
    return counted


def test_a_schema_that_is_not_enforced_is_told(served: Served) -> None:
    parameters = {"type": "object", "properties": {"a": {"type": "string", "pattern": "(?=a)"}}}
    answer = ask(served, tools=[{**TOOL, "parameters": parameters}])
    assert answer.headers["functionary-unenforced"].startswith("tools[0].parameters/")

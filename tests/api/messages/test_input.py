"""What the messages of a request mean: the same to the model as those of a chat request."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functionary_sgl.api.chat import intake as chat
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.api.messages import intake
from functionary_sgl.api.messages.requests import MessagesRequest
from functionary_sgl.chat.conversation import Call, Conversation, Image, Message
from functionary_sgl.errors import RequestError
from functionary_sgl.turns import FORMATS
from tests.api.messages.asking import HI, TOOL
from tests.conftest import WEATHER
from tests.formats import PROMPTERS
from tests.replay import characters

PICTURE = "iVBORw0KGgo="
USE = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "ok"}


def read(*said: Any, **fields: Any) -> Conversation:
    body = {"max_tokens": 9, "messages": said, **fields}
    request = MessagesRequest.from_json(json.dumps(body))
    intake.check(request)
    return intake.conversation(request)


def text(text: str, **fields: Any) -> dict[str, Any]:
    return {"type": "text", "text": text, **fields}


def user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


@pytest.mark.parametrize("system", ["Be brief.", [text("Be brief.")]])
def test_the_systems_prompt_comes_first(system: Any) -> None:
    assert read(HI, system=system).messages == (
        Message("system", "Be brief."),
        Message("user", "Hi"),
    )


@pytest.mark.parametrize("system", ["", [], [text("")], [text("x-anthropic-billing-header: a=b;")]])
def test_a_systems_prompt_without_text_is_none(system: Any) -> None:
    assert read(HI, system=system).messages == (Message("user", "Hi"),)


def test_blocks_of_the_system_are_told_apart() -> None:
    billing = text("x-anthropic-billing-header: cc_version=2.1; cch=00000;")
    conversation = read(HI, system=[billing, text("You are an agent."), text("Be brief.")])
    assert conversation.messages[0] == Message("system", "You are an agent.\n\nBe brief.")
    joined = "x-anthropic-billing-header: cch=1;\n\nBe brief.\nx-anthropic-billing-header: 2"
    told = Message("system", "Be brief.\nx-anthropic-billing-header: 2")
    assert read(HI, system=joined).messages[0] == told


def test_the_system_may_speak_in_between() -> None:
    messages = read(
        HI, {"role": "system", "content": [text("Now."), text("Briefly.")]}, HI
    ).messages
    assert [message.role for message in messages] == ["user", "system", "user"]
    assert messages[1].content == "Now.\n\nBriefly."


def test_messages_of_a_role_in_a_row_are_one_turn() -> None:
    messages = read(
        HI,
        user(text("Are you"), text(" there?")),
        assistant(text("Yes.")),
        assistant({"type": "thinking", "thinking": "So.", "signature": "s"}, text("I am."), USE),
        user(RESULT),
        user(text("And?")),
        user(text("Well?")),
    ).messages
    assert messages == (
        Message("user", "Hi\n\nAre you there?"),
        Message("assistant", "Yes.\n\nI am.", (Call("f", '{"a": 1}', "toolu_1"),), reasoning="So."),
        Message("tool", "ok", name="f", call_id="toolu_1"),
        Message("user", "And?\n\nWell?"),
    )


def test_results_stand_behind_their_calls_and_keep_their_ids() -> None:
    other = {**USE, "id": "call_of_another_server", "name": "g"}
    other_result = {"type": "tool_result", "tool_use_id": other["id"]}
    messages = read(HI, assistant(USE, other), user(text("Here."), other_result, RESULT)).messages
    assert messages[2:] == (
        Message("tool", "ok", name="f", call_id="toolu_1"),
        Message("tool", "", name="g", call_id="call_of_another_server"),
        Message("user", "Here."),
    )


def test_a_result_of_no_call_is_a_mistake() -> None:
    wrong = {**RESULT, "tool_use_id": "toolu_2"}
    with pytest.raises(RequestError, match="'toolu_2'") as refused:
        read(HI, assistant(USE), user(wrong))
    assert refused.value.param == "messages[2].content[0].tool_use_id"


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ("no such city", "Error: no such city"),
        ([text("no such city")], "Error: no such city"),
        ("<tool_use_error>no</tool_use_error>", "<tool_use_error>no</tool_use_error>"),
        (None, "Error: "),
    ],
)
def test_a_result_says_that_it_is_an_error(content: Any, shown: str) -> None:
    failed = {**RESULT, "content": content, "is_error": True}
    assert read(HI, assistant(USE), user(failed)).messages[2].content == shown


def test_images_in_messages_and_results() -> None:
    source = {"type": "base64", "media_type": "image/png", "data": PICTURE}
    data = {"type": "image", "source": source}
    link = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
    shown = {**RESULT, "content": [text("See:"), data]}
    messages = read(user(text("This"), link), assistant(USE), user(shown)).messages
    assert messages[0].parts == ("This", Image("https://example.com/a.png"))
    assert messages[2].parts == ("See:", Image(f"data:image/png;base64,{PICTURE}"))
    first, second = read(user(link), assistant(USE), user(shown)).images()
    assert first.path == "messages[0].content[0]"
    assert second.path == "messages[2].content[0].content[1]"


def test_a_documents_text_is_shown() -> None:
    source = {"type": "text", "media_type": "text/plain", "data": "Once."}
    document = {"type": "document", "source": source, "title": "Tale", "context": "Old"}
    assert read(user(document)).messages == (Message("user", "Tale\nOld\nOnce."),)


def test_what_is_encrypted_is_passed_over() -> None:
    hidden = {"type": "redacted_thinking", "data": "abc"}
    unseen = {"type": "thinking", "thinking": "", "signature": "unsigned"}
    messages = read(HI, assistant(hidden, unseen, text("Hello")), HI).messages
    assert messages[1] == Message("assistant", "Hello")


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([assistant(text("It is"))], True),
        ([assistant(text("It")), assistant(text("is"))], True),
        ([assistant()], False),
        ([{"role": "assistant", "content": ""}], False),
        ([HI], False),
    ],
)
def test_the_answer_goes_on_in_a_last_message_of_the_assistants(messages: Any, said: bool) -> None:
    conversation = read(HI, *messages)
    assert conversation.continues is said
    assert (conversation.messages[-1].role == "assistant") is said


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"messages": [HI, assistant(USE)]}, "need their results"),
    ({"messages": [HI, assistant(text("a"), USE)]}, "need their results"),
    ({"messages": [HI, assistant({"type": "thinking", "thinking": "a"})]}, "must have text"),
    (
        {"messages": [HI, assistant(text("a"))], "tool_choice": {"type": "any"}, "tools": [TOOL]},
        "room for text",
    ),
    ({"messages": [HI, assistant(text("a"))], "thinking": {"type": "enabled"}}, "'thinking'"),
    ({"messages": [assistant()]}, "At least one message"),
    ({"messages": [{"role": "system", "content": "a"}]}, "At least one message"),
    ({"messages": [user(USE)]}, "role 'user' have blocks of the type 'text', 'image'"),
    ({"messages": [assistant(RESULT), HI]}, "role 'assistant' have blocks"),
    ({"messages": [{"role": "system", "content": [USE]}, HI]}, "role 'system' have blocks"),
    ({"messages": [user({"type": "server_tool_use"})]}, "type 'server_tool_use' cannot be shown"),
    ({"messages": [user({"type": "image", "source": {"type": "file"}})]}, "the type 'base64'"),
    ({"messages": [user({"type": "image", "source": {"type": "url"}})]}, "content in 'url'"),
    (
        {"messages": [user({"type": "document", "source": {"type": "base64"}})]},
        "send its text",
    ),
    (
        {
            "messages": [
                user(
                    {"type": "document", "source": {"type": "text"}, "citations": {"enabled": True}}
                )
            ]
        },
        "do not cite",
    ),
    ({"tool_choice": {"type": "any"}}, "'any' needs at least one tool"),
    ({"tool_choice": {"type": "tool", "name": "g"}, "tools": [TOOL]}, "has the name 'g'"),
    ({"tools": [{"type": "bash_20250124", "name": "bash"}]}, "'bash_20250124' are not hosted"),
    ({"tools": [{**TOOL, "defer_loading": True}]}, "'defer_loading' cannot be honoured"),
    ({"tools": [{**TOOL, "input_examples": [{}]}]}, "put them into the description"),
    ({"stop": ["a"]}, "use 'stop_sequences'"),
    ({"n": 2}, "'n' cannot be honoured"),
    ({"mcp_servers": [{"name": "a"}]}, "'mcp_servers' cannot be honoured"),
    ({"container": "c"}, "'container' cannot be honoured"),
    ({"thread": {"type": "create"}}, "without it"),
    ({"response_format": {"type": "json_object"}}, "'output_config.format'"),
    ({"context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]}}, "shorten them"),
    ({"context_management": {"edits": [{"type": "clear_thinking_20251015"}]}}, "shorten them"),
    ({"context_management": {"edits": [], "other": 1}}, "shorten them"),
    ({"min_tokens": 10}, "'min_tokens' (10)"),
    (
        {
            "output_config": {"format": {"type": "json_schema", "schema": {}}},
            "output_format": {"type": "json_schema", "schema": {}},
        },
        "both say what",
    ),
]


@pytest.mark.parametrize(("fields", "told"), WRONG, ids=[told for _, told in WRONG])
def test_what_cannot_be_is_refused_by_name(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(RequestError) as refused:
        read(**{"messages": [HI], **fields})
    assert told in refused.value.message
    assert refused.value.param


parts = st.text(characters, min_size=1, max_size=9)
objects = st.dictionaries(st.sampled_from("ab"), st.integers(-9, 9) | parts, max_size=2)
steps = st.lists(st.tuples(parts, objects, parts, st.booleans()), max_size=3)


@pytest.mark.parametrize("format", FORMATS)
@given(parts, steps, parts)
def test_a_history_is_the_same_prompt_as_in_chat_completions(
    format: str, system: str, steps: Any, last: str
) -> None:
    told: list[Any] = [{"role": "user", "content": "Hi"}]
    asked: list[Any] = [{"role": "system", "content": system}, *told]
    for index, (said, values, result, called) in enumerate(steps):
        call_id = f"toolu_{index}"
        name = WEATHER["function"]["name"]
        use = {"type": "tool_use", "id": call_id, "name": name, "input": values}
        function = {"name": name, "arguments": values}
        call = {"id": call_id, "type": "function", "function": function}
        told.append(assistant(text(said), *[use] * called))
        asked.append({"role": "assistant", "content": said, "tool_calls": [call] * called})
        if called:
            back = {"type": "tool_result", "tool_use_id": call_id, "content": [text(result)]}
            told.append(user(back))
            asked.append({"role": "tool", "tool_call_id": call_id, "content": result})
        else:
            told.append(user(text(result)))
            asked.append({"role": "user", "content": [text(result)]})
    if steps and steps[-1][3]:
        told[-1]["content"].append(text(last))
        asked.append({"role": "user", "content": [text(last)]})
    request = ChatRequest.from_json(json.dumps({"messages": asked, "tools": [WEATHER]}))
    prompts = [
        _prompt(format, conversation)
        for conversation in (
            read(*told, system=system, tools=[TOOL]),
            chat.conversation(request),
        )
    ]
    assert prompts[0] == prompts[1]


def _prompt(format: str, conversation: Conversation) -> Any:
    try:
        prompt = PROMPTERS[format].prompt(conversation)
    except RequestError as refused:
        return refused.message
    return str(prompt), list(prompt.token_ids)

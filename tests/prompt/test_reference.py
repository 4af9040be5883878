"""Prompts of drawn conversations, byte for byte those of the reference."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functionary_sgl.api.chat import intake
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.turns import FORMATS
from tests.formats import PROMPTERS
from tests.prompt.reference import rendered

READ_AGAIN = [name for name, f in FORMATS.items() if f.template_text and name != "v1"]
CODE = {"type": "code_interpreter"}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
NOW = {"type": "function", "function": {"name": "now"}}
BOOK = {"type": "function", "function": {"name": "book"}}

texts = st.sampled_from(
    ["", "Hi", " ", "\n", "a\n", "  x ", 'é漢🙂 "q" <b>&\'', '{"a": 1}', "[1]", "a\n\nb\n\n"]
)


def parts(text: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    cut = st.integers(0, len(text)).map(lambda at: [text[:at], text[at:]])
    pieces = st.one_of(st.just([text]), cut, *[st.just([])] * (not text))
    return pieces.map(lambda some: [{"type": "text", "text": piece} for piece in some])


contents = texts | texts.flatmap(parts)
parameters = st.sampled_from(
    [
        *(None, {}, {"type": "object", "properties": {}}),
        {
            "type": "object",
            "properties": {
                "zoé": {
                    "type": "number",
                    "default": 1.0,
                    "minimum": 1e5,
                    "x-key": [None, True, 1e-7],
                },
                "a": {"type": ["integer"], "description": 'é "q" <b>', "enum": [1, 2]},
            },
            "required": ["a"],
            "additionalProperties": False,
        },
    ]
)


@st.composite
def functions(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Functions with keys that the reference does not show, and in any order."""
    drawn = []
    for name in draw(st.sampled_from([[], ["now"], ["now", "book", "zap"]])):
        optional = {
            "description": texts,
            "parameters": parameters,
            "strict": st.none() | st.just(False),
            "cache_control": st.just({"type": "ephemeral"}),
        }
        function = {"name": name} | draw(st.fixed_dictionaries({}, optional=optional))
        drawn.append(dict(draw(st.permutations(list(function.items())))))
    return drawn


@st.composite
def turns(draw: st.DrawFn, number: int) -> list[dict[str, Any]]:
    """A message, or calls of the assistant with all of their results, in any order, or none."""
    role = draw(st.sampled_from(["system", "user", "user", "assistant", "calls"]))
    if role == "user":
        return [{"role": role, "content": draw(contents)}]
    if role != "calls":
        return [{"role": role, "content": draw(texts)}]
    with_ids = draw(st.booleans())
    calls, results = [], []
    for index in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from(["now", "python"]))
        code = st.sampled_from(["print(1)\nx = 'é'", ""])
        arguments = draw(code if name == "python" else st.sampled_from(["{}", '{"a":1}', ""]))
        call = {"type": "function", "function": {"name": name, "arguments": arguments}}
        result = {"role": "tool", "content": draw(texts), "name": name}
        if with_ids:
            call["id"] = result["tool_call_id"] = f"call_{number}_{index}"
        calls.append(call)
        results.append(result)
    asked = {"role": "assistant", "content": draw(st.none() | texts), "tool_calls": calls}
    if with_ids:
        return [asked, *draw(st.permutations(results))]
    return [asked, *(results if draw(st.booleans()) else [])]


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    number = draw(st.integers(1, 4))
    messages = [message for place in range(number) for message in draw(turns(place))]
    request: dict[str, Any] = {"model": "m", "messages": messages}
    offered = draw(functions())
    if offered and draw(st.booleans()):
        return {**request, "functions": offered}
    tools = [{"type": "function", "function": function} for function in offered]
    if draw(st.booleans()):
        tools.insert(draw(st.integers(0, len(tools))), CODE)
    return {**request, "tools": tools} if tools else request


def prompt(format: str, request: dict[str, Any]) -> str:
    asked = intake.conversation(ChatRequest.from_json(json.dumps(request)))
    return PROMPTERS[format].prompt(asked)


@given(requests())
def test_every_conversation_is_rendered_as_the_reference_does(request: dict[str, Any]) -> None:
    for format in READ_AGAIN:
        assert prompt(format, request) == rendered(format, request), format


@given(st.lists(st.just([IMAGE]) | texts.flatmap(parts), max_size=3))
def test_images_stand_where_the_client_has_them(content: list[list[dict[str, Any]]]) -> None:
    message = {"role": "user", "content": [part for some in content for part in some]}
    request = {"model": "m", "messages": [message]}
    for format in READ_AGAIN:
        if FORMATS[format].image_token:
            assert prompt(format, request) == rendered(format, request), format


@pytest.mark.parametrize("format", ["qwen2.5-text-only", "cogito", "gemma3", "r1_distilled_qwen"])
@pytest.mark.parametrize("tools", [[CODE], [CODE, NOW, BOOK], [NOW, CODE, BOOK], [NOW, BOOK, CODE]])
def test_the_code_interpreter_stands_where_the_client_has_it(
    format: str, tools: list[dict[str, Any]]
) -> None:
    request = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "tools": tools}
    shown = re.findall(r'"name": "(\w+)", "description"', prompt(format, request))
    assert shown == [tool.get("function", {"name": "python"})["name"] for tool in tools]


QWEN = "You are a helpful assistant."
COGITO = "Enable deep thinking subroutine"


@pytest.mark.parametrize(
    ("format", "system", "with_tools", "without"),
    [
        ("qwen2.5-text-only", None, f"{QWEN}\n\n# Tools", f"{QWEN}<|im_end|>"),
        ("qwen2.5-text-only", "", "\n\n# Tools", "<|im_end|>"),
        ("qwen2.5-text-only", "\n", "\n\n\n# Tools", "\n<|im_end|>"),
        ("cogito", None, f"{COGITO}.\n\n# Tools", f"{COGITO}.<|im_end|>"),
        ("cogito", "", f"{COGITO}.\n\n\n\n# Tools", f"{COGITO}\n\n<|im_end|>"),
        ("cogito", "Hi", f"{COGITO}.\n\nHi\n\n# Tools", f"{COGITO}\n\nHi<|im_end|>"),
    ],
)
def test_a_system_message_counts_even_if_it_is_empty(
    format: str, system: str | None, with_tools: str, without: str
) -> None:
    messages = [{"role": "user", "content": "Hi"}]
    if system is not None:
        messages.insert(0, {"role": "system", "content": system})
    request = {"model": "m", "messages": messages}
    assert prompt(format, request).startswith(f"<|im_start|>system\n{without}\n")
    assert prompt(format, {**request, "tools": [NOW]}).startswith(
        f"<|im_start|>system\n{with_tools}\n"
    )


@pytest.mark.parametrize("format", ["qwen2.5-text-only", "cogito"])
@pytest.mark.parametrize("content", ["", []])
def test_an_empty_user_message_is_left_out(format: str, content: object) -> None:
    messages = [{"role": "system", "content": "S"}, {"role": "user", "content": content}]
    assert "user" not in prompt(format, {"model": "m", "messages": messages})

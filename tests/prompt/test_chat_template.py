"""A checkpoint's own chat template gives what transformers' apply_chat_template gives."""

import json
from functools import cache
from typing import Any

import pytest
import tokenizers

from functionary_sgl.api.chat import intake
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.errors import RequestError
from functionary_sgl.prompt.chat_template import ChatTemplate
from functionary_sgl.runtime.prompt import Prompt
from functionary_sgl.turns import FORMATS
from tests.conftest import TINY, WEATHER
from tests.formats import CHAT_TEMPLATES, PROMPTERS, SPECIAL_TOKENS

OWN = [name for name, format in FORMATS.items() if format.template_text is None]

CALL = {
    "id": "abc123DEF",
    "type": "function",
    "function": {"name": "get_current_weather", "arguments": '{"location": "Örebro", "n": 1.5}'},
}
USER = {"role": "user", "content": "How is é?"}
CONVERSATIONS: dict[str, list[dict[str, Any]]] = {
    "one message": [USER],
    "an answer": [
        USER,
        {"role": "assistant", "content": "Fine."},
        {"role": "user", "content": "?"},
    ],
    "a call": [
        {"role": "system", "content": "Be brief."},
        USER,
        {"role": "assistant", "content": "", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "abc123DEF", "content": '{"t": 1}'},
    ],
    "reasoning": [
        USER,
        {"role": "assistant", "content": "", "reasoning_content": "Hm.", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "abc123DEF", "content": "1"},
    ],
}


def prompt(format: str, messages: Any, **fields: Any) -> Prompt:
    body = {"model": "m", "messages": messages, **fields}
    request = ChatRequest.from_json(json.dumps(body))
    return PROMPTERS[format].prompt(intake.conversation(request))


@cache
def reference(format: str) -> Any:
    """transformers' tokenizer with the same tokens and template."""
    from transformers import PreTrainedTokenizerFast

    definition = (TINY / "tokenizer.json").read_text()
    tokenizer = tokenizers.Tokenizer.from_str(definition)
    kind = FORMATS[format]
    tokenizer.add_special_tokens([t for t in kind.control_tokens if not tokenizer.token_to_id(t)])
    tokenizer.add_tokens([tokenizers.AddedToken(mark, normalized=False) for mark in kind.marks])
    template = (CHAT_TEMPLATES / f"{format}.jinja").read_text()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, chat_template=template, **SPECIAL_TOKENS
    )


def as_transformers_wants(messages: Any, format: str) -> Any:
    """Arguments parsed, names on tool results, reasoning and ids as the template reads them: what
    its users do before they call it."""
    shown = json.dumps(messages)
    if format == "kimi-k2":
        shown = shown.replace("abc123DEF", "functions.get_current_weather:0")
    messages = json.loads(shown)
    for message in messages:
        for call in message.get("tool_calls", ()):
            call["function"]["arguments"] = json.loads(call["function"]["arguments"])
        if message["role"] == "tool":
            message["name"] = "get_current_weather"
        if format == "gpt-oss" and "reasoning_content" in message:
            message["thinking"] = message.pop("reasoning_content")
        if format == "mistral-v13" and "reasoning_content" in message:
            thought = {"type": "thinking", "thinking": message.pop("reasoning_content")}
            text = {"type": "text", "text": message["content"]}
            message["content"] = [thought, *[text] * bool(message["content"])]
        if format == "lfm2" and "reasoning_content" in message:
            message["thinking"] = message.pop("reasoning_content")
    return messages


@pytest.mark.parametrize("thinking", [None, False])
@pytest.mark.parametrize("tools", [[], [WEATHER]])
@pytest.mark.parametrize("case", CONVERSATIONS)
@pytest.mark.parametrize("format", OWN)
def test_prompts_are_those_of_transformers(
    format: str, case: str, tools: Any, thinking: bool | None
) -> None:
    messages = CONVERSATIONS[case]
    options = {} if thinking is None else {"enable_thinking": thinking}
    expected = reference(format).apply_chat_template(
        as_transformers_wants(messages, format),
        tools=tools or None,
        add_generation_prompt=True,
        **options,
    )["input_ids"]
    ours = prompt(format, messages, tools=tools, chat_template_kwargs=options)
    assert ours == reference(format).decode(expected)
    assert list(ours.token_ids) == expected


@pytest.mark.parametrize("format", OWN)
def test_clients_text_never_becomes_a_control_token(format: str) -> None:
    kind = FORMATS[format]
    marks = [*kind.control_tokens, *kind.marks]
    text = "".join(marks)
    control = PROMPTERS[format].tokenizer.control_ids
    tool = {"type": "function", "function": {"name": "f", "description": text, "parameters": {}}}

    def count(content: str, tools: Any) -> int:
        ids = prompt(format, [{"role": "user", "content": content}], tools=tools).token_ids
        return sum(token_id in control.values() for token_id in ids)

    harmless = {"type": "function", "function": {"name": "f", "description": "", "parameters": {}}}
    assert count(text, [tool]) == count("x", [harmless])
    shown = prompt(format, [{"role": "user", "content": text}])
    assert text in shown


def test_what_the_template_refuses_is_a_400_with_its_words() -> None:
    messages = [USER, {"role": "assistant", "content": "", "tool_calls": [CALL, CALL]}]
    with pytest.raises(RequestError, match="only supports single tool-calls"):
        prompt("llama3-json", messages)


@pytest.mark.parametrize(
    "template",
    [
        "{{ 1 // 0 }}",
        "{{ 2.0 ** 100000 }}",
        "{{ 'a'.encode('nope') }}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% include 'x' %}",
        "{{ messages.x.y }}",
        "{{ '%d' % 'x' }}",
    ],
)
def test_a_template_that_fails_refuses(template: str) -> None:
    conversation = intake.conversation(
        ChatRequest.model_validate({"model": "m", "messages": [USER]})
    )
    made = ChatTemplate(template, {}, PROMPTERS["hermes"].tokenizer.control)
    with pytest.raises(RequestError, match="template refuses the conversation"):
        made.render(conversation)


def test_ids_of_calls_have_mistrals_form() -> None:
    call = {**CALL, "id": "call_" + "x" * 24}
    messages = [
        USER,
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call["id"], "content": "1"},
    ]
    shown = prompt("mistral", messages)
    (call_id,) = {part.split('"')[0] for part in shown.split('"id": "')[1:]}
    assert len(call_id) == 9
    assert f'"call_id": "{call_id}"' in shown


def test_ids_of_calls_have_kimis_form_and_go_on_counting() -> None:
    def step(call_id: str, *names: str) -> list[dict[str, Any]]:
        ids = [f"{call_id}{place}" for place in range(len(names))]
        made = [
            {"id": one, "type": "function", "function": {"name": name, "arguments": "{}"}}
            for one, name in zip(ids, names, strict=True)
        ]
        results = [{"role": "tool", "tool_call_id": one, "content": one} for one in ids]
        return [{"role": "assistant", "content": "", "tool_calls": made}, *results]

    shown = prompt("kimi-k2", [USER, *step("x", "f", "g"), USER, *step("x", "f")])
    for call_id, result in (("f:0", "x0"), ("g:1", "x1"), ("f:2", "x0")):
        assert f"<|tool_call_begin|>functions.{call_id}<|tool_call_argument_begin|>" in shown
        assert f"## Return of functions.{call_id}\n{result}<|im_end|>" in shown


def test_code_is_an_argument_of_a_function() -> None:
    call = {"type": "function", "function": {"name": "python", "arguments": "print('é')\n"}}
    messages = [USER, {"role": "assistant", "content": "", "tool_calls": [call]}]
    shown = prompt("hermes", messages, tools=[{"type": "code_interpreter"}])
    assert """{"name": "python", "arguments": {"code": "print('é')\\n"}}""" in shown
    assert '"description": "This tool is used to execute python code.' in shown


@pytest.mark.parametrize("arguments", ["", None, {}, "{}"])
def test_a_call_without_arguments_has_none(arguments: Any) -> None:
    call = {"type": "function", "function": {"name": "f", "arguments": arguments}}
    messages = [USER, {"role": "assistant", "content": "", "tool_calls": [call]}]
    assert '{"name": "f", "arguments": {}}' in prompt("hermes", messages)


def test_templates_may_use_what_transformers_gives_them() -> None:
    control = PROMPTERS["hermes"].tokenizer.control
    source = (
        "{% generation %}{{ [1, 2] | tojson(indent=1) }}{% endgeneration %}"
        "{% for n in range(9) %}{% if n == 2 %}{% break %}{% endif %}{{ n }}{% endfor %}"
        "{{ strftime_now('%Y')|length }}{{ undefined_name }}{{ documents is none }}"
    )
    template = ChatTemplate(source, {}, control)
    request = ChatRequest.from_json(json.dumps({"model": "m", "messages": [USER]}))
    assert template.render(intake.conversation(request)) == "[\n 1,\n 2\n]014True"

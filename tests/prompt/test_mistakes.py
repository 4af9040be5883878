"""No text of a client, and nothing that a model wrote, is too odd to be shown or refused."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functionary_sgl.api.chat import intake
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.errors import InvalidSchema, RequestError
from functionary_sgl.prompt.chat_template import ChatTemplate
from functionary_sgl.runtime.prompt import Prompt
from functionary_sgl.turns import FORMATS
from tests.formats import JSON_FORMATS, PROMPTERS, written
from tests.mistakes import SPELLED
from tests.replay import replay

OWN = [name for name, format in FORMATS.items() if format.template_text is None]
USER = {"role": "user", "content": "Hi"}

# What Python's parser reads otherwise than the one of bodies, or not at all.
ODD = {name.strip("@"): f'{{"a": {spelling}}}' for name, spelling in SPELLED.items()}
DEEP = ODD.pop("deeper")
ODD |= {f"{depth} deep": '{"a": ' * depth + "1" + "}" * depth for depth in (10, 199, 201, 400)}
TEXTS = ("", "x", "\0", "\ufdd0", "\ufdd1", "\U0010ffff", "é🙂", "</s>", "{{ x }}", "\n", "all")


def prompt(format: str, messages: Any, **fields: Any) -> Prompt:
    body = {"model": "m", "messages": messages, **fields}
    request = ChatRequest.from_json(json.dumps(body))
    return PROMPTERS[format].prompt(intake.conversation(request))


def calling(arguments: str, name: str = "f") -> dict[str, Any]:
    call = {"id": "abcDEF123", "function": {"name": name, "arguments": arguments}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


@pytest.mark.parametrize("format", JSON_FORMATS)
@pytest.mark.parametrize("arguments", ODD.values(), ids=ODD)
def test_odd_arguments_in_the_history_are_shown(format: str, arguments: str) -> None:
    shown = prompt(format, [USER, calling(arguments)])
    assert arguments in shown or json.dumps(arguments)[1:-1] in shown


def test_arguments_of_any_depth_are_shown() -> None:
    assert DEEP in prompt("hermes", [USER, calling(DEEP)])


@pytest.mark.parametrize("format", OWN)
@pytest.mark.parametrize("arguments", ODD.values(), ids=ODD)
def test_odd_arguments_of_a_model_that_is_not_constrained_are_told(
    format: str, arguments: str
) -> None:
    turn = written(format, None, [("get", arguments)])
    _, calls = replay(PROMPTERS[format], turn, "all", constraints="off").said
    assert calls[0][0] == "get"


messages = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "developer", "user", "tool", "function"])},
    optional={"name": st.sampled_from(TEXTS)},
).flatmap(lambda m: st.sampled_from(TEXTS).map(lambda text: {**m, "content": text}))
answers = st.builds(
    lambda call, text: {**call, "content": text},
    st.builds(calling, st.sampled_from([*TEXTS, *ODD.values()]), st.sampled_from(TEXTS)),
    st.sampled_from(TEXTS) | st.none(),
)


@pytest.mark.parametrize("format", FORMATS)
@given(st.lists(messages | answers, min_size=1, max_size=4))
def test_histories_of_any_order_are_shown_or_refused(format: str, history: Any) -> None:
    with suppress(RequestError):
        prompt(format, history)


@pytest.mark.parametrize(
    "source",
    [
        "{% macro deeper() %}{{ deeper() }}{% endmacro %}{{ deeper() }}",
        "{{ 1 // 0 }}",
        "{{ 10.0 ** 1000 }}",
        "{{ 'é'.encode('ascii') }}",
        "{{ '%d' % 'x' }}",
        "{{ messages[7].content }}",
        "{{ messages[0].content.index('x') }}",
        "{{ messages | map(attribute='a.b') | sum }}",
        "{{ '{a}'.format() }}",
        "{{ raise_exception('no') }}",
    ],
)
def test_whatever_a_template_raises_is_about_the_conversation(source: str) -> None:
    template = ChatTemplate(source, {}, PROMPTERS["hermes"].tokenizer.control)
    request = ChatRequest.from_json(json.dumps({"model": "m", "messages": [USER]}))
    with pytest.raises(RequestError, match="chat template refuses") as caught:
        template.render(intake.conversation(request))
    assert caught.value.param == "messages"


@pytest.mark.parametrize("format", FORMATS)
def test_tools_that_are_only_shown_are_bounded_too(format: str) -> None:
    deep: Any = {}
    for _ in range(80):
        deep = {"not": deep}
    function = {"name": "f", "parameters": deep}
    tools = [{"type": "function", "function": function}]
    with pytest.raises(InvalidSchema, match="deeper") as caught:
        prompt(format, [USER], tools=tools, tool_choice="none")
    assert caught.value.param == "tools[0].function.parameters"

"""Fields as real clients send them: what is taken, and what it means."""

import json
from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest
from openai.types.shared import ReasoningEffort

from functionary_sgl.api.chat import intake
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.chat.conversation import Conversation
from functionary_sgl.chat.forms import JSONAnswer
from functionary_sgl.errors import RequestError
from tests.conftest import WEATHER
from tests.formats import PROMPTERS
from tests.serving import Served, scripted_model, serving

NAME = WEATHER["function"]["name"]
FLAT = {"type": "function", **WEATHER["function"]}
ASK: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    reply = {"turn": f'{NAME}\n{{"location": "Rome"}}'}
    with serving(scripted_model(PROMPTERS["v3.llama3"], {"turn": "all\nHello"}, reply)) as served:
        yield served


def asked(**fields: Any) -> Conversation:
    return intake.conversation(ChatRequest.from_json(json.dumps({**ASK, **fields})))


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": []},
        {"tools": None, "tool_choice": None},
        {"tools": [], "tool_choice": "none", "parallel_tool_calls": True},
        {"functions": None, "function_call": None},
        {"response_format": {"type": "text"}},
        {"response_format": None},
        {"stop": []},
        {"stop": ""},
        {"stop": None},
        {"stop": ["", "x"]},
        {"seed": None},
        {"top_p": 0},
        {"top_p": 0, "temperature": 0, "top_k": 0},
        {"logit_bias": {}},
        {"logit_bias": {"1": 1, "2": -100}},
        {"logit_bias": None},
        {"store": True},
        {"store": None, "metadata": None, "user": None},
        {"metadata": {"a": 1, "b": None, "c": {"d": []}}},
        {"stream_options": {"include_usage": True}},
        {"stream_options": None, "stream": None},
        {"max_tokens": None},
        {"max_tokens": 32000},
        {"max_completion_tokens": 10**30},
        {"reasoning_effort": "none"},
        {"reasoning_effort": None},
        {"chat_template_kwargs": {}},
        {"chat_template_kwargs": {"enable_thinking": False, "thinking": None, "other": None}},
        {"n": 1, "logprobs": False, "top_logprobs": None},
        {"messages": [{"role": "user", "content": "Hi", "name": "Ann"}]},
        {"messages": [*ASK["messages"], {"role": "function", "content": "1"}]},
    ],
    ids=json.dumps,
)
def test_taken(served: Served, fields: dict[str, Any]) -> None:
    answer = served.http.post("/v1/chat/completions", json={**ASK, **fields})
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("model", [{}, {"model": None}])
@pytest.mark.parametrize("stream", [False, True])
def test_the_only_model_need_not_be_named(served: Served, model: Any, stream: bool) -> None:
    body = {"messages": ASK["messages"], "stream": stream, **model}
    answer = served.http.post("/v1/chat/completions", json=body)
    assert answer.status_code == 200
    assert '"model":"m"' in answer.text


def test_one_of_several_has_to_be() -> None:
    model = scripted_model(PROMPTERS["v3.llama3"], {"turn": "all\nHi"}, adapters={"a": "/a"})
    with serving(model) as served:
        answer = served.http.post("/v1/chat/completions", json={"messages": ASK["messages"]})
        assert answer.status_code == 400
        error = answer.json()["error"]
        assert (error["param"], error["code"]) == ("model", "missing_required_parameter")
        assert "'m', 'a'" in error["message"]
        assert None not in model_enum(served)


def model_enum(served: Served) -> list[str | None]:
    schemas = served.http.get("/openapi.json").json()["components"]["schemas"]
    names: list[str | None] = schemas["ChatRequest"]["properties"]["model"]["enum"]
    return names


def test_the_document_says_so(served: Served) -> None:
    assert model_enum(served) == ["m", None]


@pytest.mark.parametrize("effort", [*get_args(get_args(ReasoningEffort)[0])])
def test_every_effort_that_openai_has(effort: str) -> None:
    told = asked(reasoning_effort=effort)
    assert told.reasoning is (effort != "none")
    assert told.effort == (None if effort == "none" else effort)


@pytest.mark.parametrize("effort", ["xhigh", "max", "ultra", 0, 0.5, 0.99])
def test_every_effort_that_others_have(effort: Any) -> None:
    assert asked(reasoning_effort=effort).reasoning is True


def test_a_switch_goes_before_an_effort() -> None:
    for effort, switch in (("none", True), ("high", False)):
        told = asked(reasoning_effort=effort, chat_template_kwargs={"enable_thinking": switch})
        assert told.reasoning is switch
        assert told.reasoning_param == "chat_template_kwargs.enable_thinking"


def test_a_choice_and_a_tool_as_in_openais_responses() -> None:
    told = asked(tools=[FLAT, WEATHER | {"function": {"name": "other"}}])
    nested = asked(tools=[WEATHER])
    assert told.tools[0] == nested.tools[0]
    choice = asked(tools=[FLAT], tool_choice={"type": "function", "name": NAME}).choice
    assert (choice.mode, choice.name) == ("named", NAME)
    allowed = {
        "type": "allowed_tools",
        "mode": "auto",
        "tools": [{"type": "function", "name": NAME}],
    }
    assert asked(tools=[FLAT], tool_choice=allowed).choice.allowed == {NAME}


def test_errors_in_such_a_tool_have_its_place(served: Served) -> None:
    for tool, place in (
        ({**FLAT, "name": "a b"}, "tools[0].name"),
        ({**FLAT, "parameters": {"type": "string"}}, "tools[0].parameters"),
        ({**FLAT, "strict": "maybe"}, "tools[0].strict"),
        ({"type": "function"}, "tools[0].function"),
    ):
        answer = served.http.post("/v1/chat/completions", json={**ASK, "tools": [tool]})
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, place)


@pytest.mark.parametrize("strict", [True, 1, "true"])
def test_strict_in_other_spellings(strict: Any) -> None:
    (tool,) = asked(tools=[{**FLAT, "strict": strict}]).tools
    assert tool.strict


@pytest.mark.parametrize(("strict", "means"), [(True, True), (1, True), (None, False), (0, False)])
def test_strict_of_an_answer_in_other_spellings(strict: Any, means: bool) -> None:
    described = {"name": "x", "schema": {"type": "object"}, "strict": strict}
    told = asked(response_format={"type": "json_schema", "json_schema": described}).answer
    assert isinstance(told, JSONAnswer)
    assert told.strict is means
    described["strict"] = "maybe"
    with pytest.raises(RequestError, match="not a boolean") as caught:
        asked(response_format={"type": "json_schema", "json_schema": described})
    assert caught.value.param == "response_format.json_schema.strict"


def test_descriptions_may_be_null(served: Served) -> None:
    function = {**WEATHER["function"], "description": None}
    for fields in (
        {"tools": [{"type": "function", "function": function}]},
        {"tools": [{"type": "function", **function}]},
        {"functions": [function]},
    ):
        (tool,) = asked(**fields).tools
        assert tool.description == ""
        assert served.http.post("/v1/chat/completions", json={**ASK, **fields}).status_code == 200


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_a_bound_beyond_the_context_is_that_of_the_context(
    serve: Callable[..., Served], field: str
) -> None:
    served = serve({"turn": "all\n" + "word " * 9000})
    unbounded = served.client.chat.completions.create(**ASK)
    bounded = served.client.chat.completions.create(**ASK, **{field: 32000})
    assert bounded.choices[0].finish_reason == "length"
    assert bounded.usage == unbounded.usage
    assert bounded.usage is not None
    assert bounded.usage.total_tokens == 8192


def test_128_answers(served: Served) -> None:
    answer = served.http.post("/v1/chat/completions", json={**ASK, "n": 128})
    assert [choice["index"] for choice in answer.json()["choices"]] == list(range(128))
    assert served.http.post("/v1/chat/completions", json={**ASK, "n": 129}).status_code == 400


def test_what_a_chat_template_reads_it_is_given() -> None:
    options = {"date_string": "1 <|eot_id|> May"}
    conversation = asked(chat_template_kwargs=options)
    prompt = PROMPTERS["llama3-json"].prompt(conversation)
    assert "Today Date: 1 <|eot_id|> May" in prompt
    control = PROMPTERS["llama3-json"].tokenizer.control_ids["<|eot_id|>"]
    plain = PROMPTERS["llama3-json"].prompt(asked())
    assert prompt.token_ids.count(control) == plain.token_ids.count(control)
    for format, name in (
        ("hermes", "date_string"),
        ("llama3-json", "bos_token"),
        ("llama3-json", "tools"),
        ("llama3-json", "raise_exception"),
        ("v3.llama3", "date_string"),
    ):
        with pytest.raises(RequestError, match="does not read") as caught:
            PROMPTERS[format].prompt(asked(chat_template_kwargs={name: "x"}))
        assert caught.value.param == f"chat_template_kwargs.{name}"

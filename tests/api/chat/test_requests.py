"""Whatever stands in a body, the answer is one of OpenAI's: 200, or a 400 that says where."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given

from functionary_sgl.api.chat.requests import ChatRequest
from tests.conftest import WEATHER
from tests.formats import PROMPTERS
from tests.mistakes import KEYWORDS, PLAIN, WRONG, places, put, with_mistakes, written
from tests.serving import Served, scripted_model, serving

CALL = {"name": "f", "arguments": '{"a": {"b": [1, "x"]}}'}
MESSAGES = [
    {"role": "system", "content": "Be brief."},
    {"role": "developer", "content": [{"type": "text", "text": "Hm"}], "name": "dev"},
    {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "text", "text": "!"}]},
    {
        "role": "assistant",
        "content": None,
        "reasoning_content": "Let me see.",
        "tool_calls": [{"id": "abcDEF123", "type": "function", "function": CALL}],
        "refusal": None,
    },
    {"role": "tool", "content": "1", "tool_call_id": "abcDEF123", "name": "f"},
    {"role": "assistant", "content": "Well.", "function_call": CALL},
    {"role": "function", "name": "f", "content": "2"},
    {"role": "user", "content": "And?"},
]
ASK = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
NAME = WEATHER["function"]["name"]
NAMED = {"type": "function", "function": {"name": NAME}}
OBJECT = {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": False}
IMAGE = {
    "type": "image_url",
    "image_url": {"url": "data:image/png;base64,iVBORw0=", "detail": "low"},
}

REQUESTS: dict[str, dict[str, Any]] = {
    "messages": {**ASK, "messages": MESSAGES},
    "tools": {
        **ASK,
        "tools": [WEATHER, {"type": "code_interpreter"}],
        "tool_choice": {
            "type": "allowed_tools",
            "allowed_tools": {"mode": "auto", "tools": [NAMED]},
        },
        "parallel_tool_calls": True,
        "stream": True,
        "stream_options": {"include_usage": True},
    },
    "a named tool": {**ASK, "tools": [WEATHER], "tool_choice": NAMED, "n": 2, "seed": 2**63 - 1},
    "no tool": {**ASK, "tools": [WEATHER], "tool_choice": "none"},
    "functions": {**ASK, "functions": [WEATHER["function"]], "function_call": {"name": NAME}},
    "an answer in JSON": {
        **ASK,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "x", "strict": True, "schema": OBJECT},
        },
    },
    "an image": {**ASK, "messages": [{"role": "user", "content": [IMAGE]}]},
    "sampling": {
        **ASK,
        **{"max_tokens": 50, "max_completion_tokens": 40, "stop": ["END", "\n\n"], "seed": 1},
        **{"temperature": 1, "top_p": 0.9, "top_k": 5, "min_p": 0.1, "presence_penalty": 0.1},
        **{"frequency_penalty": 0.1, "repetition_penalty": 1.1, "logprobs": True},
        **{"logit_bias": {"1": 2, "2": -3.5}, "top_logprobs": 2, "n": 1},
        **{"reasoning_effort": None, "chat_template_kwargs": {"enable_thinking": None}},
        **{"user": "x", "metadata": {"a": "b"}, "store": False, "service_tier": "auto"},
    },
}
FIELDS = ChatRequest.model_fields.keys()


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    replies = {"turn": f'{NAME}\n{{"location": "Rome"}}>>>all\nHello'}
    with serving(scripted_model(PROMPTERS["v3.llama3"], replies)) as served:
        yield served


def check(response: httpx.Response) -> None:
    """That it is an answer, or an error with its place; its form is the contract's."""
    assert response.status_code in (200, 400, 404, 413), response.text
    if response.status_code == 200:
        assert '"server_error"' not in response.text
    if response.status_code == 400:
        error = response.json()["error"]
        assert error["type"] == "invalid_request_error"
        if error["message"].startswith("The body of the request"):
            assert error["param"] is None
        else:
            assert re.split(r"[.\[/]", error["param"])[0] in FIELDS, error


def post(served: Served, body: str | bytes) -> httpx.Response:
    content = body.encode() if isinstance(body, str) else body
    return served.http.post("/v1/chat/completions", content=content)


@pytest.mark.parametrize("name", REQUESTS)
def test_a_wrong_value_at_any_place(served: Served, name: str) -> None:
    whole = REQUESTS[name]
    apart = len(WRONG) // 2
    for number, place in enumerate(places(whole)):
        for wrong in WRONG[number % apart :: apart]:
            check(post(served, written(put(whole, place, wrong))))


@given(with_mistakes(list(REQUESTS.values()), most=3))
def test_several_mistakes_at_once(served: Served, request: Any) -> None:
    check(post(served, written(request)))


@pytest.mark.parametrize("choice", ["auto", "none"])
def test_a_wrong_value_for_any_keyword(served: Served, choice: str) -> None:
    for number, keyword in enumerate(KEYWORDS):
        wrong = PLAIN[number % len(PLAIN)]
        schema = {"properties": {"a": {keyword: wrong}}, keyword: wrong}
        tools = [{"type": "function", "function": {"name": "f", "parameters": schema}}]
        check(post(served, json.dumps({**ASK, "tools": tools, "tool_choice": choice})))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[
            (field, number)
            for field in ("temperature", "top_p", "min_p", "repetition_penalty", "seed", "n")
            for number in ("NaN", "Infinity", "-1e999")
        ],
        ("logit_bias", '{"1": NaN}'),
        ("logit_bias", '{"\u0661": 1}'),
        ("logit_bias", f'{{"{"1" * 5_000}": 1}}'),
        ("logit_bias", f'{{"{"1" * 4_000}": 1}}'),
    ],
)
def test_no_field_takes_what_is_no_number(served: Served, field: str, value: str) -> None:
    response = post(served, f'{json.dumps(ASK)[:-1]}, "{field}": {value}}}')
    assert response.status_code == 400
    assert response.json()["error"]["param"].startswith(field)


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999"])
@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ('"tools": [{"type": "function", "function": %s}]', "tools[0].function.parameters"),
        ('"functions": [%s]', "functions[0].parameters"),
        (
            '"response_format": {"type": "json_schema", "json_schema": %s}',
            "response_format.json_schema.schema",
        ),
    ],
)
def test_schemas_have_no_numbers_that_are_none(
    served: Served, fields: str, place: str, number: str
) -> None:
    schema = f'{{"properties": {{"a": {{"default": [{number}]}}}}}}'
    tool = f'{{"name": "f", "parameters": {schema}, "schema": {schema}}}'
    response = post(served, f"{json.dumps(ASK)[:-1]}, {fields % tool}}}")
    assert response.status_code == 400
    assert response.json()["error"]["param"] == f"{place}/properties/a/default/0"


HI = '{"model": "m", "messages": [{"role": "user", "content": "%s"}], "zz": %s}'


@pytest.mark.parametrize(
    "body",
    [
        HI % ("\\ud800", 1),
        HI % ("\\udc00\\ud800", 1),
        HI % ("", '"\\udfff"'),
        HI % ("", "[" * 1_000 + "]" * 1_000),
        HI % ("", "[" * 60_000),
        HI % ("", '{"a":' * 20_000),
        HI % ("", "1" * 5_000),
        (HI % ("é", 1)).encode("latin-1"),
        (HI % ("é", 1)).encode("utf-16"),
        (HI % ("\ud800", 1)).encode("utf-8", "surrogatepass"),
        b"\xef\xbb\xbf" + (HI % ("", 1)).encode(),
        (HI % ("", 1)) + "}",
        HI % ("\0", 1),
        HI % ("", "01"),
    ],
)
def test_what_cannot_be_read_is_told_to_be_so(served: Served, body: str | bytes) -> None:
    response = post(served, body)
    assert response.status_code == 400
    assert "not valid JSON" in response.json()["error"]["message"]


def test_of_two_fields_with_one_name_the_last_counts(served: Served) -> None:
    body = HI % ("", '1, "model": "other"')
    assert post(served, body).json()["error"]["code"] == "model_not_found"
    assert post(served, body.replace('"other"', '"m"')).status_code == 200

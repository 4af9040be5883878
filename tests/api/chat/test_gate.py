"""Schemas over HTTP: hostile ones, strict ones, and what is said of those not fully enforced."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from functionary_sgl.gate import Constraints
from functionary_sgl.prompt.prompter import Prompter
from functionary_sgl.schemas import bounds
from tests import hostile
from tests.serving import MOST_SECONDS, Served, counted, scripted_model, serving

CALL = 'f\n{"a": "x", "b": 3, "c": 3}'
UNENFORCED = {
    "type": "object",
    "properties": {"a, b": {"not": {"pattern": "x"}}, "é": {"type": "integer", "format": "int32"}},
    "if": {"properties": {"a": {"pattern": "x"}}},
    "then": {"required": ["b"]},
}
PLACES = [
    "tools[0].function.parameters/properties/a%2C%20b/not",
    "tools[0].function.parameters/if",
    "tools[0].function.parameters/then",
]


@pytest.fixture
def served(serve: Callable[..., Served]) -> Served:
    return serve({"turn": "all\nHello"})


def post(served: Served, content: bytes) -> httpx.Response:
    return served.http.post("/v1/chat/completions", content=content)


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("name", hostile.SCHEMAS)
def test_hostile_schemas_are_refused_or_work(served_once: Served, name: str, strict: bool) -> None:
    content = hostile.body(hostile.SCHEMAS[name])
    if strict:
        content = content.replace(b'"name": "f"', b'"name": "f", "strict": true')
    response = post(served_once, content)
    assert response.status_code in (200, 400), response.text
    if response.status_code == 400:
        assert response.json()["error"]["type"] == "invalid_request_error"


@pytest.fixture(scope="module")
def served_once(request: pytest.FixtureRequest) -> Iterator[Served]:
    files = request.getfixturevalue("tiny")
    from functionary_sgl.prompt import detect

    prompter = Prompter(detect.detect(files).format, files.tokenizer)
    with serving(scripted_model(prompter, {"turn": "all\nHello"}, context=500_000)) as served:
        yield served


REFUSED = [
    "nested 1000 deep",
    "enum of 20,000",
    "recursive without end",
    "recursive in place",
    "references that double in place",
    "remote",
    "a file",
]
WORKING = [
    "null characters",
    "nested 60 deep",
    "counted choice",
    "backtracking",
    "30 patterns at once",
    "enum of 10,000 short",
    "1,000 properties",
    "string of a million",
    "recursive",
    "references that double",
    "a large multiple",
]


@pytest.mark.parametrize("name", REFUSED + WORKING)
def test_what_can_work_does(served_once: Served, name: str) -> None:
    response = post(served_once, hostile.body(hostile.SCHEMAS[name]))
    assert response.status_code == (400 if name in REFUSED else 200), response.text


def test_no_schema_is_fetched(served_once: Served) -> None:
    for name in ("remote", "a file"):
        error = post(served_once, hostile.body(hostile.SCHEMAS[name])).json()["error"]
        assert error["param"] == "tools[0].function.parameters/properties/a/$ref"


def test_the_schemas_of_a_request_are_bounded_together(served: Served) -> None:
    text = json.dumps({"properties": {"a": {"description": "x" * 200_000}}})
    tools = [
        {"type": "function", "function": {"name": f"f{i}", "parameters": json.loads(text)}}
        for i in range(6)
    ]
    assert 6 * len(text) > bounds.MAX_REQUEST_BYTES
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "tools": tools}
    error = post(served, json.dumps(body).encode()).json()["error"]
    assert error["param"] == "tools"


def test_strict_tools_are_refused_at_the_very_keyword(served: Served) -> None:
    content = hostile.body(json.dumps(UNENFORCED))
    content = content.replace(b'"name": "f"', b'"name": "f", "strict": true')
    refused = counted(served.http, "functionary_refused_schemas_total")
    response = post(served, content)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["param"] == "tools[0].function.parameters/properties/a, b/not"
    assert error["code"] == "invalid_function_parameters"
    assert counted(served.http, "functionary_refused_schemas_total") == refused + 1


@pytest.mark.parametrize("stream", [False, True])
def test_responses_name_what_was_not_enforced(served: Served, stream: bool) -> None:
    unenforced = counted(served.http, "functionary_unenforced_schemas_total")
    response = post(served, hostile.body(json.dumps(UNENFORCED), stream=stream))
    assert response.status_code == 200
    assert response.headers["functionary-unenforced"].split(", ") == PLACES
    assert counted(served.http, "functionary_unenforced_schemas_total") == unenforced + 1


def test_responses_have_no_such_header_where_all_is_enforced(served: Served) -> None:
    response = post(served, hostile.body('{"properties": {"a": {"type": "float"}}}'))
    assert response.status_code == 200
    assert "functionary-unenforced" not in response.headers


def test_long_lists_of_places_are_cut(served: Served) -> None:
    many = {f"p{i}": {"not": {"pattern": "x"}} for i in range(100)}
    response = post(served, hostile.body(json.dumps({"properties": many})))
    *places, rest = response.headers["functionary-unenforced"].split(", ")
    assert len(places) == 32
    assert rest == "..."


def call(served: Served, parameters: Any, **function: Any) -> tuple[str, httpx.Response]:
    tool = {"name": "f", "parameters": parameters, **function}
    body = {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "tools": [{"type": "function", "function": tool}],
    }
    response = post(served, json.dumps(body).encode())
    (made,) = response.json()["choices"][0]["message"]["tool_calls"]
    arguments: str = made["function"]["arguments"]
    return arguments, response


def eventually(served: Served, name: str, value: float) -> bool:
    """Arguments are validated after the answer, by a process that others go before."""
    end = time.monotonic() + MOST_SECONDS
    while counted(served.http, name) != value:
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


INVALID = 'functionary_invalid_arguments_total{reason="schema"}'
NARROW = {"properties": {"a": {"type": "string", "enum": ["y"]}, "b": {"type": "integer"}}}


def test_arguments_that_break_what_is_not_enforced_are_counted(
    serve: Callable[..., Served],
) -> None:
    served = serve({"turn": CALL})
    calls, invalid = counted(served.http, "functionary_calls_total"), counted(served.http, INVALID)
    schema = {"properties": {"a": {"not": {"pattern": "x"}}, "b": {}, "c": {}}}
    arguments, _ = call(served, schema)
    assert arguments == '{"a": "x", "b": 3, "c": 3}'
    assert counted(served.http, "functionary_calls_total") == calls + 1
    assert eventually(served, INVALID, invalid + 1)
    schema["properties"]["a"] = {"not": {"pattern": "y"}}
    call(served, schema)
    assert eventually(served, "functionary_calls_total", calls + 2)
    assert counted(served.http, INVALID) == invalid + 1


@pytest.fixture(params=["names", "off"])
def unconstrained(request: pytest.FixtureRequest, prompter: Prompter) -> Iterator[Served]:
    """With `--constraints` that say nothing of schemas."""
    constraints: Constraints = request.param
    model = scripted_model(prompter, {"turn": CALL}, constraints=constraints)
    with serving(model) as served:
        yield served


def test_without_constraints_calls_go_out_as_written(unconstrained: Served) -> None:
    invalid = counted(unconstrained.http, INVALID)
    arguments, response = call(unconstrained, NARROW)
    assert arguments == '{"a": "x", "b": 3, "c": 3}'
    assert response.headers["functionary-unenforced"] == "tools[0].function.parameters"
    assert eventually(unconstrained, INVALID, invalid + 1)


def test_strict_tools_are_constrained_all_the_same(unconstrained: Served) -> None:
    arguments, response = call(unconstrained, NARROW, strict=True)
    assert json.loads(arguments).get("a", "y") == "y"
    assert "functionary-unenforced" not in response.headers


NOT_JSON = 'functionary_invalid_arguments_total{reason="json"}'
NOT_OFFERED = "functionary_calls_not_offered_total"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("turn", "name", "arguments", "counter"),
    [
        ("f\n{'a': 'x'}", "f", "{'a': 'x'}", NOT_JSON),
        ('f\n{"a": "x', "f", '{"a": "x', NOT_JSON),
        ("f\n", "f", "", NOT_JSON),
        ('g\n{"a": "x"}', "g", '{"a": "x"}', NOT_OFFERED),
        ('f\n{"a": "x"}', "f", '{"a": "x"}', INVALID),
    ],
)
def test_with_constraints_off_what_is_broken_is_told_and_counted(
    prompter: Prompter, turn: str, name: str, arguments: str, counter: str, stream: bool
) -> None:
    with serving(scripted_model(prompter, {"turn": turn}, constraints="off")) as served:
        before = {c: counted(served.http, c) for c in (NOT_JSON, NOT_OFFERED, INVALID)}
        response = post(served, hostile.body(json.dumps(NARROW), stream=stream))
        assert response.status_code == 200
        told = [json.loads(line[6:]) for line in response.text.split("\n\n") if line[6:7] == "{"]
        choices = [c["choices"][0] for c in (told if stream else [response.json()])]
        calls = [c for d in choices for c in d.get("delta", d.get("message")).get("tool_calls", ())]
        assert [c["function"]["name"] for c in calls if "id" in c] == [name]
        assert "".join(c["function"]["arguments"] for c in calls) == arguments
        assert choices[-1]["finish_reason"] == "tool_calls"
        assert eventually(served, counter, before[counter] + 1)
        for other in before.keys() - {counter}:
            assert counted(served.http, other) == before[other]

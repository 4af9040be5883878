"""The TypeScript form of functions, against the observed prompts of the reference."""

import json
from typing import Any

import pytest

from functionary_sgl.api.chat import intake
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.errors import RequestError
from functionary_sgl.prompt import typescript
from tests.paths import DATA

CASES = json.loads((DATA / "ts_schema.json").read_text())["cases"]
PRINTED = [case for case in CASES if not case["prompt_body"].startswith("EXC")]
DRAWN = json.loads((DATA / "ts_drawn.json").read_text())["cases"]
FAILED = [case for case in CASES if case["prompt_body"].startswith("EXC")]

# The reference fails on a function without `parameters`; OpenAI's API allows it, and so do the
# reference's own servers, which set it to null before the template sees it. A description that is
# null is none. The reference has no end where a `$ref` leads back to itself; its type is printed
# there.
ALLOWED = {
    "no params key": "// D\ntype f = () => any;",
    "desc None": "// \ntype f = (_: {\na?: string,\n}) => any;",
    "ref recursive": "// D\ntype f = (_: {\na: {\n    c?: {\n    },\n},\n}) => any;",
}

REFUSED = {
    "ref bad": "tools[0].function.parameters",
}


def printed(function: dict[str, Any]) -> str:
    body = {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "tools": [{"type": "function", "function": function}],
    }
    (tool,) = intake.conversation(ChatRequest.from_json(json.dumps(body))).tools
    return typescript.function(tool)


def named(cases: list[dict[str, Any]]) -> Any:
    return pytest.mark.parametrize("case", cases, ids=[case["case"] for case in cases])


@named(PRINTED)
def test_functions_print_as_the_reference_prints_them(case: dict[str, Any]) -> None:
    assert printed(case["function"]) == case["prompt_body"]


@pytest.mark.parametrize("case", DRAWN)
def test_drawn_functions_print_as_the_reference_prints_them(case: dict[str, Any]) -> None:
    assert printed(case["function"]) == case["prompt_body"]


@named(FAILED)
def test_what_the_reference_fails_on_is_refused_or_allowed(case: dict[str, Any]) -> None:
    if case["case"] in ALLOWED:
        assert printed(case["function"]) == ALLOWED[case["case"]]
    else:
        with pytest.raises(RequestError) as caught:
            printed(case["function"])
        assert caught.value.param == REFUSED[case["case"]]


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": ["a"]},
        {"properties": {"a": {"oneOf": "x"}}},
        {"properties": {"a": {"oneOf": [1, None]}}},
        {"properties": {"a": {"enum": "x"}}},
        {"properties": {"a": {"type": "array", "items": [{"type": "string"}]}}},
        {"properties": {"a": {"examples": 3, "description": 4}}},
        {"properties": {"a": {"type": "array", "items": {"type": "string", "enum": None}}}},
    ],
)
def test_malformed_schemas_print_something(schema: dict[str, Any]) -> None:
    assert printed({"name": "f", "parameters": schema}).startswith("// \ntype f = ")


@pytest.mark.parametrize(
    "ref", ["http://127.0.0.1/x.json", "file:///etc/passwd", "other.json", "#/$defs/~2"]
)
def test_only_local_references_are_followed(ref: str) -> None:
    with pytest.raises(RequestError, match="reference"):
        printed({"name": "f", "parameters": {"properties": {"a": {"$ref": ref}}}})


def test_references_that_multiply_are_cut_off() -> None:
    level = {
        f"L{n}": {"properties": {k: {"$ref": f"#/$defs/L{n + 1}"} for k in "ab"}} for n in range(30)
    }
    schema = {"properties": {"a": {"$ref": "#/$defs/L0"}}, "$defs": {**level, "L30": {}}}
    assert len(printed({"name": "f", "parameters": schema})) < 1_000_000

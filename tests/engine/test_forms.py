"""Forms of answers, and texts of custom tools, with a model that would rather write otherwise."""

import json
import re
from typing import Any

import pytest

from tests.api.chat.test_custom_tools import SHELL, custom
from tests.engine.conftest import RunningEngine

FORMATS = ["v3.llama3", "v3-llama3.1", "tool-call"]
FORMS: dict[str, tuple[dict[str, Any], str]] = {
    "regex": ({"guided_regex": r"\d{3}-\d{4}( [a-z]+)?"}, r"\d{3}-\d{4}( [a-z]+)?"),
    "open regex": ({"regex": "a+b?"}, "a+b?"),
    "choice": ({"guided_choice": ["yes", "no", "no, sí"]}, "yes|no|no, sí"),
    "lark": ({"ebnf": 'start: "SELECT " N ("," N)*\nN: /[a-z]{1,9}/'}, "SELECT [a-z]+(,[a-z]+)*"),
    "gbnf": ({"grammar": 'root ::= "x" [0-9]+ "y"?'}, "x[0-9]+y?"),
    "number": ({"json_schema": {"type": "integer"}}, "-?[0-9]+"),
    "list": ({"guided_json": {"type": "array", "items": {"type": "boolean"}}}, r"\[.*\]"),
}


def body(content: str, **fields: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": content}]
    return {
        "model": "functionary-nano",
        "messages": messages,
        "max_tokens": 60,
        "seed": 1,
        **fields,
    }


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_kept(engine: RunningEngine, format: str, form: str) -> None:
    fields, pattern = FORMS[form]
    client = engine.client_as(format)
    answer = client.post(
        "/chat/completions", body=body("Tell me.", **fields, temperature=0), cast_to=object
    )
    (choice,) = answer["choices"]  # type: ignore[index]
    content = choice["message"]["content"]
    # A model may go on for ever where the form lets it, also with its reasoning.
    if choice["finish_reason"] == "stop":
        assert re.fullmatch(pattern, content)


@pytest.mark.parametrize("format", FORMATS)
def test_custom_tools_are_called_with_texts(engine: RunningEngine, format: str) -> None:
    lark = custom("lark", 'start: "ls" (" " NAME)*\nNAME: /[a-z"]{1,5}/')
    for tool, pattern in (
        (SHELL, "(?s).*"),
        (custom("regex", "ls [a-z]{1,4}"), "ls [a-z]{1,4}"),
        (lark, 'ls( [a-z"]{1,5})*'),
    ):
        choice = {"type": "custom", "custom": {"name": "shell"}}
        asked = body("List the files.", tools=[tool], tool_choice=choice)
        answer: Any = engine.client_as(format).post("/chat/completions", body=asked, cast_to=object)
        (made,) = answer["choices"]
        if made["finish_reason"] == "stop":
            (call,) = made["message"]["tool_calls"]
            assert re.fullmatch(pattern, call["custom"]["input"])
            assert json.dumps(call)


@pytest.mark.parametrize("format", FORMATS)
def test_the_last_message_is_continued(engine: RunningEngine, format: str) -> None:
    client = engine.client_as(format)
    messages = [{"role": "user", "content": "Count."}, {"role": "assistant", "content": "1, 2, 3,"}]
    more = {"messages": messages, "continue_final_message": True, "add_generation_prompt": False}
    answer: Any = client.post(
        "/chat/completions", body=body("") | more | {"temperature": 0}, cast_to=object
    )
    assert answer["choices"][0]["message"]["content"] is None or not answer["choices"][0][
        "message"
    ]["content"].startswith("1, 2, 3,")


def test_text_is_as_long_as_it_must_be(engine: RunningEngine) -> None:
    for fields in ({"min_tokens": 60}, {"ignore_eos": True}):
        answer: Any = engine.client.post(
            "/chat/completions", body=body("Say hi.", **fields), cast_to=object
        )
        assert answer["usage"]["completion_tokens"] >= 60
        assert answer["choices"][0]["finish_reason"] == "length"


def test_a_stop_id_ends_text(engine: RunningEngine) -> None:
    whole: Any = engine.client.post(
        "/chat/completions", body=body("Hi", logprobs=True, temperature=0), cast_to=object
    )
    tokens = [entry["token"] for entry in whole["choices"][0]["logprobs"]["content"]]
    every = list(range(1000, 1400))[:64]
    cut: Any = engine.client.post(
        "/chat/completions", body=body("Hi", stop_token_ids=every, temperature=0), cast_to=object
    )
    assert "".join(tokens).strip().startswith(cut["choices"][0]["message"]["content"] or "")

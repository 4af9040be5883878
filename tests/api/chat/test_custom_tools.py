"""Custom tools, called with a text: what a model writes as JSON is told as that text, both ways."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functionary_sgl.turns import FORMATS
from tests import formats
from tests.conftest import WEATHER
from tests.formats import PROMPTERS, PerFormat, possible, written
from tests.replay import characters, cuts, replay
from tests.serving import Served

SHELL: dict[str, Any] = {"type": "custom", "custom": {"name": "shell", "description": "Runs."}}
CHOICE = {"type": "custom", "custom": {"name": "shell"}}
texts = st.text(characters | st.sampled_from('"\\\n\t\x00\x1f/é🙂'), max_size=12)


def custom(syntax: str, definition: str) -> dict[str, Any]:
    grammar = {"syntax": syntax, "definition": definition}
    return {
        "type": "custom",
        "custom": {"name": "shell", "format": {"type": "grammar", "grammar": grammar}},
    }


def spelled(text: str, *, ascii: bool = False) -> str:
    return json.dumps({"input": text}, ensure_ascii=ascii)


def inputs(message: Any) -> list[Any]:
    calls = message.get("tool_calls", [])
    assert all(call["type"] == "custom" and call["id"] for call in calls)
    return [(call["custom"]["name"], call["custom"]["input"]) for call in calls]


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=8)
@given(st.lists(texts, min_size=1, max_size=2), cuts, st.booleans())
def test_the_text_is_what_the_model_meant(
    format: str, said: list[str], cut: Any, ascii: bool
) -> None:
    calls = possible(format, "Sure.", [("shell", spelled(text, ascii=ascii)) for text in said])
    answer = replay(PROMPTERS[format], written(format, *calls), cut, tools=[SHELL, WEATHER])
    assert inputs(answer.message) == [(name, json.loads(a)["input"]) for name, a in calls[1]]
    assert answer.finish_reason == "tool_calls"


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("constraints", ["names", "off"])
def test_it_is_a_text_in_every_mode(format: str, constraints: Any) -> None:
    turn = written(format, None, [("shell", spelled('ls "a"\n'))])
    answer = replay(PROMPTERS[format], turn, constraints=constraints, tools=[SHELL])
    assert inputs(answer.message) == [("shell", 'ls "a"\n')]
    named = replay(PROMPTERS[format], turn, tools=[SHELL, WEATHER], tool_choice=CHOICE)
    assert inputs(named.message) == [("shell", 'ls "a"\n')]
    assert named.finish_reason == "stop"
    allowed = {"mode": "required", "tools": [CHOICE]}
    choice = {"type": "allowed_tools", "allowed_tools": allowed}
    required = replay(PROMPTERS[format], turn, tools=[SHELL, WEATHER], tool_choice=choice)
    assert inputs(required.message) == [("shell", 'ls "a"\n')]


LIST = 'start: "[" [item ("," item)*] "]"\nitem: start | STRING\nSTRING: /"[^"\\\\]*"/'


@pytest.mark.parametrize("format", ["v3.llama3", "v3-llama3.1", "hermes", "mistral", "r1"])
@pytest.mark.parametrize(
    ("tool", "wish", "other"),
    [
        (custom("regex", '[a-c]+"\\n'), 'abc"\n', "abd"),
        (custom("regex", "^\\d{3}$"), "123", "12x"),
        (custom("lark", LIST), '[[],["é"]]', "x"),
        (custom("lark", 'start: A+\nA: "a\\n"'), "a\na\n", "b"),
    ],
)
def test_a_grammar_is_kept(format: str, tool: Any, wish: str, other: str) -> None:
    def ask(text: str) -> Any:
        turn = written(format, None, [("shell", spelled(text))])
        return inputs(replay(PROMPTERS[format], turn, "char", tools=[tool]).message)

    assert ask(wish) == [("shell", wish)]
    assert ask(other) != [("shell", other)]


@pytest.fixture(scope="module")
def clients() -> Iterator[PerFormat[httpx.Client]]:
    def replies(format: str) -> list[dict[str, Any]]:
        return [{"turn": written(format, None, [("shell", spelled("ls\n"))])}]

    with formats.clients(replies) as started:
        yield started


@pytest.mark.parametrize("format", FORMATS)
def test_a_history_has_them_as_they_were_written(clients: Any, format: str) -> None:
    client = clients[format]
    body: dict[str, Any] = {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "tools": [SHELL],
    }
    first = client.post("/v1/chat/completions", json=body).raise_for_status().json()
    message = first["choices"][0]["message"]
    (call,) = message["tool_calls"]
    assert call["custom"] == {"name": "shell", "input": "ls\n"}
    result = {"role": "tool", "tool_call_id": call["id"], "content": "a b"}
    body["messages"] += [message, result]
    assert client.post("/v1/chat/completions", json=body).status_code == 200


def test_openais_client_reads_them(serve: Any) -> None:
    served: Served = serve({"turn": f"shell\n{spelled('ls')}"})
    messages: Any = [{"role": "user", "content": "Hi"}]
    asked: dict[str, Any] = {"model": "m", "messages": messages, "tools": [SHELL]}
    completion = served.client.chat.completions.create(**asked)
    (call,) = completion.choices[0].message.tool_calls or ()
    assert isinstance(call, openai.types.chat.ChatCompletionMessageCustomToolCall)
    assert (call.custom.name, call.custom.input) == ("shell", "ls")
    told = ""
    for chunk in served.client.chat.completions.create(**asked, stream=True):
        for choice in chunk.choices:
            for delta in choice.delta.tool_calls or ():
                told += delta.custom["input"]  # type: ignore[attr-defined]
    assert told == "ls"


def tools_of(tool: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "tools": [tool]}


@pytest.mark.parametrize(
    ("tool", "param", "says"),
    [
        ({"type": "web_search"}, "tools[0]", "web_search"),
        ({"type": "mcp", "server_label": "x"}, "tools[0]", "mcp"),
        ({"type": "computer_use_preview"}, "tools[0]", "computer_use_preview"),
        ({"type": 3}, "tools[0]", "custom"),
        ({"type": "custom"}, "tools[0].custom", "Missing"),
        (custom("lark", 'start: "a"\n%ignore " "'), "definition", "%ignore"),
        (custom("lark", "start: <|eot_id|>"), "definition", "control tokens"),
        (custom("lark", "begin: /a/"), "definition", "cannot be"),
        (custom("regex", "(?=a)"), "definition", "enforced"),
        (custom("ebnf", "a"), "tools[0].custom.format.grammar.syntax", "lark"),
    ],
)
def test_what_cannot_be_offered_is_refused(serve: Any, tool: Any, param: str, says: str) -> None:
    answer = serve({"turn": "all\nHi"}).http.post("/v1/chat/completions", json=tools_of(tool))
    assert answer.status_code == 400
    error = answer.json()["error"]
    where = "tools[0].custom.format.grammar.definition" if param == "definition" else param
    assert error["param"] == where
    assert says in error["message"]

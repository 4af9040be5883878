"""What other servers' fields say of an answer is kept, or refused by name, in every format."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from functionary_sgl.api.chat.extensions import REFUSED
from functionary_sgl.turns import FORMATS
from tests import formats
from tests.conftest import WEATHER
from tests.formats import PROMPTERS, PerFormat, written
from tests.replay import cuts, replay

WORDS = ["positive", "negative", "neg", "sí", "<b>"]
LIST = {"type": "array", "items": {"type": "integer"}}
LARK = 'start: "SELECT " name ("," name)*\nname: /[a-z]+/'
GBNF = 'root ::= "SELECT " name ("," name)*\nname ::= [a-z]+'
QUERY = "SELECT a,bc"
# For each form what a model that wants to keep it writes, and what says whether a text has it.
JSON = re.compile(r"\[(\d+(, \d+)*)?\]")
QUERIES = re.compile("SELECT [a-z]+(,[a-z]+)*")
FORMS: dict[str, tuple[dict[str, Any], str, re.Pattern[str]]] = {
    "guided_json": ({"guided_json": LIST}, "[1, 2]", JSON),
    "guided_json as text": ({"guided_json": json.dumps(LIST)}, "[1, 2]", JSON),
    "json_schema": ({"json_schema": LIST}, "[1, 2]", JSON),
    "structured_outputs.json": ({"structured_outputs": {"json": LIST}}, "[1, 2]", JSON),
    "response_format.schema": (
        {"response_format": {"type": "json_schema", "schema": LIST}},
        "[1, 2]",
        JSON,
    ),
    "json_object with a schema": (
        {"response_format": {"type": "json_object", "schema": LIST}},
        "[1, 2]",
        JSON,
    ),
    "text-generation-inference": (
        {"response_format": {"type": "json", "value": LIST}},
        "[1, 2]",
        JSON,
    ),
    "guided_regex": ({"guided_regex": r"\d{3}-\d{4}"}, "555-1234", re.compile(r"\d{3}-\d{4}")),
    "regex": ({"regex": " a+ "}, " aa ", re.compile(" a+ ")),
    "response_format of a regex": (
        {"response_format": {"type": "regex", "pattern": "a|b"}},
        "b",
        re.compile("a|b"),
    ),
    "structured_outputs.regex": (
        {"structured_outputs": {"regex": "x{3}", "choice": None, "json_object": False}},
        "xxx",
        re.compile("x{3}"),
    ),
    "guided_choice": ({"guided_choice": WORDS}, "neg", re.compile("|".join(WORDS))),
    "structured_outputs.choice": (
        {"structured_outputs": {"choice": WORDS}},
        "sí",
        re.compile("|".join(WORDS)),
    ),
    "guided_grammar": ({"guided_grammar": LARK}, QUERY, QUERIES),
    "ebnf": ({"ebnf": GBNF}, QUERY, QUERIES),
    "grammar": ({"grammar": GBNF}, QUERY, QUERIES),
    "response_format of a grammar": (
        {"response_format": {"type": "grammar", "grammar": GBNF}},
        QUERY,
        QUERIES,
    ),
    "structured_outputs.grammar": ({"structured_outputs": {"grammar": LARK}}, QUERY, QUERIES),
}
PROSE = "Well, let me see."
CALL = ("get_current_weather", '{"location": "Rome"}')


@pytest.fixture(scope="module")
def clients() -> Iterator[PerFormat[httpx.Client]]:
    def replies(format: str) -> list[dict[str, Any]]:
        wishes = {name: wish for name, (_, wish, _) in FORMS.items()} | {"prose": PROSE}
        said = [{"match": f"[{n}]", "turn": written(format, t, [])} for n, t in wishes.items()]
        return [*said, {"match": "[call]", "turn": written(format, None, [CALL])}]

    with formats.clients(replies) as started:
        yield started


def ask(client: httpx.Client, text: str, **fields: Any) -> httpx.Response:
    body = {"model": "m", "messages": [{"role": "user", "content": f"[{text}]"}], **fields}
    return client.post("/v1/chat/completions", json=body)


def content(answer: httpx.Response) -> Any:
    return answer.raise_for_status().json()["choices"][0]["message"]["content"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("format", ["v3.llama3", "v3-llama3.1", "hermes", "mistral", "llama3-json"])
def test_a_form_is_kept(clients: Any, format: str, form: str) -> None:
    fields, wish, pattern = FORMS[form]
    assert content(ask(clients[format], form, **fields)) == wish
    forced = content(ask(clients[format], "prose", **fields))
    assert pattern.fullmatch(forced)
    assert (
        content(ask(clients[format], form, **fields, tools=[WEATHER], tool_choice="none")) == wish
    )


ROOTS: list[tuple[Any, str]] = [
    ({"type": "array", "items": {"type": "string"}}, '["a", "b"]'),
    ({"type": "string"}, '"a"'),
    ({"enum": ["a", 1, None]}, "1"),
    ({"anyOf": [{"type": "array", "items": LIST}, {"type": "string"}]}, "[[1], []]"),
    ({"type": ["object", "null"], "properties": {"a": {"type": "boolean"}}}, "null"),
    ({"type": "integer"}, "42"),
    ({"type": "number"}, "4.5"),
    ({"type": "boolean"}, "true"),
    ({"type": "null"}, "null"),
    ({"$ref": "#/$defs/a", "$defs": {"a": LIST}}, "[3]"),
    ({"const": {"a": [1]}}, '{"a": [1]}'),
    ({"type": "object"}, '{"any": 1}'),
    ({}, '"x"'),
]


@pytest.mark.parametrize(("schema", "wish"), ROOTS, ids=lambda case: json.dumps(case))
@pytest.mark.parametrize("format", ["v3.llama3", "v3-llama3.1", "hermes", "mistral"])
def test_an_answer_may_have_any_root(format: str, schema: Any, wish: str) -> None:
    described = {"name": "x", "schema": schema, "strict": True}
    asked: Any = {"response_format": {"type": "json_schema", "json_schema": described}}
    turn = written(format, wish, [])
    assert replay(PROMPTERS[format], turn, "char", **asked, tools=[]).said == (wish, [])
    # Beside tools the model chooses between the two.
    assert replay(PROMPTERS[format], turn, **asked, tools=[WEATHER]).said == (wish, [])
    call = written(format, None, [CALL])
    assert replay(PROMPTERS[format], call, **asked, tools=[WEATHER]).said == (None, [CALL])


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=5)
@given(st.lists(st.text("ab<[é\n {", min_size=1), min_size=1, max_size=4), st.data())
def test_one_of_some_texts(format: str, texts: list[str], data: Any) -> None:
    wish, cut = data.draw(st.sampled_from(texts)), data.draw(cuts)
    # Its model would think first, which cannot be told from such texts.
    assume(format != "glm-4.5" or not any(text.startswith(("<", "\n")) for text in texts))
    asked: dict[str, Any] = {"guided_choice": texts, "tools": []}
    answer = replay(PROMPTERS[format], written(format, wish, []), cut, **asked)
    assert answer.said[0] in texts
    # Where a text goes on from another one, the scripted engine may stop at either.
    if not any(other != wish and wish.startswith(other) for other in texts):
        assert answer.said[0] == wish


@pytest.mark.parametrize("format", FORMATS)
def test_beside_tools_a_form_can_be_told_or_is_refused(clients: Any, format: str) -> None:
    kind = FORMATS[format]
    for form in ("guided_choice", "guided_regex", "ebnf"):
        fields, wish, _ = FORMS[form]
        if form == "guided_choice":
            fields = {"guided_choice": ["yes", "no", wish]}
        answer = ask(clients[format], form, **fields, tools=[WEATHER])
        if kind.addresses_text or (form == "guided_choice" and format != "llama3-json"):
            assert content(answer) == wish
            (called,) = ask(clients[format], "call", **fields, tools=[WEATHER]).json()["choices"]
            assert called["finish_reason"] == "tool_calls"
        else:
            assert answer.status_code == 400
            error = answer.json()["error"]
            assert error["param"] == form
            assert "told from a call" in error["message"]


REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"guided_regex": "(?=a)"}, "guided_regex"),
    ({"guided_regex": "("}, "guided_regex"),
    ({"guided_regex": ""}, "guided_regex"),
    ({"guided_regex": "a" * 40_000}, "guided_regex"),
    ({"guided_choice": []}, "guided_choice"),
    ({"guided_choice": [""]}, "guided_choice"),
    ({"ebnf": "root = a"}, "ebnf"),
    ({"ebnf": "root ::= " + "(" * 5000}, "ebnf"),
    ({"guided_grammar": "start: <|eot_id|>"}, "guided_grammar"),
    ({"guided_grammar": "start: other"}, "guided_grammar"),
    ({"guided_json": "no JSON"}, "guided_json"),
    ({"guided_json": [1]}, "guided_json"),
    ({"guided_json": {"type": "strange"}}, "guided_json/type"),
    ({"guided_json": LIST, "regex": "a"}, "regex"),
    ({"structured_outputs": {}}, "structured_outputs"),
    ({"structured_outputs": {"regex": "a", "json": LIST}}, "structured_outputs"),
    ({"structured_outputs": {"structural_tag": "x"}}, "structured_outputs.structural_tag"),
    ({"structured_outputs": {"choice": "yes"}}, "structured_outputs.choice"),
    ({"response_format": {"type": "structural_tag"}}, "response_format.type"),
    ({"response_format": {"type": "regex"}}, "response_format.pattern"),
    ({"add_generation_prompt": False}, "add_generation_prompt"),
    ({"continue_final_message": True}, "continue_final_message"),
    ({"min_tokens": 5, "max_tokens": 4}, "min_tokens"),
    ({"min_tokens": 5, "tools": [WEATHER]}, "min_tokens"),
    ({"ignore_eos": True, "guided_regex": "a"}, "ignore_eos"),
    ({"stop_token_ids": [10**6]}, "stop_token_ids"),
    ({"modalities": ["text", "audio"]}, "modalities"),
    ({"web_search_options": {}}, "web_search_options"),
    ({"min_p": 0.1, "best_of": 2}, "best_of"),
    ({"prompt_logprobs": 0}, "prompt_logprobs"),
    *(({name: "something"}, name) for name in REFUSED),
]


@pytest.mark.parametrize(("fields", "param"), REFUSALS, ids=lambda case: json.dumps(case)[:50])
def test_what_cannot_be_kept_is_refused_by_name(clients: Any, fields: Any, param: str) -> None:
    answer = ask(clients["v3.llama3"], "prose", **fields)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["param"] == param
    assert "function" not in error["message"].replace("offer a function", "")


HARMLESS: list[dict[str, Any]] = [
    {"prediction": {"type": "content", "content": "x"}, "prompt_cache_key": "k"},
    {"safety_identifier": "s", "guided_decoding_backend": "xgrammar", "a_field_of_mine": 1},
    {"min_tokens": 0, "ignore_eos": False, "add_generation_prompt": True, "stop_token_ids": []},
    {"continue_final_message": False, "include_stop_str_in_output": False, "response_format": None},
    dict.fromkeys(REFUSED),
    *({name: value} for name, refused in REFUSED.items() for value in refused.harmless),
]


@pytest.mark.parametrize("fields", HARMLESS, ids=lambda case: json.dumps(case)[:50])
def test_what_asks_for_nothing_is_accepted(clients: Any, fields: Any) -> None:
    assert content(ask(clients["v3.llama3"], "prose", **fields)) == PROSE


def test_a_stop_string_is_told_where_it_is_asked_for(clients: Any) -> None:
    for format in ("v3.llama3", "hermes"):
        for field in ("include_stop_str_in_output", "no_stop_trim"):
            told = content(ask(clients[format], "prose", stop=" me", **{field: True}))
            assert told == "Well, let me"
        assert content(ask(clients[format], "prose", stop=" me")) == "Well, let"


@pytest.mark.parametrize("format", FORMATS)
def test_a_stop_id_ends_text_and_no_call(clients: Any, format: str) -> None:
    tokenizer = PROMPTERS[format].tokenizer
    stops = tokenizer.encode(PROSE)
    told = content(ask(clients[format], "prose", stop_token_ids=stops[4:]))
    assert told is not None
    assert PROSE.startswith(told)
    assert len(told) < len(PROSE)
    called = ask(clients[format], "call", stop_token_ids=tokenizer.encode("Rome"), tools=[WEATHER])
    (call,) = called.json()["choices"][0]["message"]["tool_calls"]
    assert call["function"]["arguments"] == CALL[1]


@pytest.mark.parametrize("format", [name for name, kind in FORMATS.items() if not kind.reasons])
def test_text_may_have_to_be_long(clients: Any, format: str) -> None:
    usual = ask(clients[format], "prose").json()["usage"]["completion_tokens"]
    for fields in ({"min_tokens": 60}, {"ignore_eos": True, "max_tokens": 60}):
        answer = ask(clients[format], "prose", **fields).json()
        assert answer["usage"]["completion_tokens"] >= 60 > usual
        assert answer["choices"][0]["message"]["content"].startswith(PROSE)
    assert answer["choices"][0]["finish_reason"] == "length"

"""The measurement of what constraints change finds what they change."""

import json
from typing import Any

import pytest

from benchmarks.fidelity.causes import cause_in, difference
from benchmarks.fidelity.pieces import in_order, pieces, styled
from functionary_sgl.chat.schema import arguments
from functionary_sgl.chat.tools import Tool
from functionary_sgl.engines.base import Constraint
from functionary_sgl.evaluation.client import Answer, GivenCall
from functionary_sgl.evaluation.questions import ExpectedCall, Question

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "integer"},
        "stops": {
            "type": "array",
            "maxItems": 2,
            "items": {
                "type": "object",
                "properties": {"at": {"type": "string"}, "to": {"type": "string", "maxLength": 3}},
            },
        },
    },
}
TOOL = Tool("travel", "", json.dumps(SCHEMA), False, "tools[0].function")
ASK = {
    "messages": [{"role": "user", "content": "Go."}],
    "tools": [{"type": "function", "function": {"name": "travel", "parameters": SCHEMA}}],
}
QUESTION = Question("1", "travel", ASK, (ExpectedCall("travel", {}),))


def travel(arguments: str, text: str = "") -> Answer:
    return Answer(text, (GivenCall("travel", arguments),))


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ('{"days": 2, "city": "Rome"}', "order of keys"),
        ('{"stops": [{"to": "a", "at": "b"}]}', "order of keys"),
        ('{"city": "Rome", "days": 2, "stops": [], "city": "Oslo"}', "key twice"),
        ('{"city": "Rome", "hours": 2}', "key that is not listed"),
        ('{"stops": [{"at": "b", "via": "c"}]}', "key that is not listed"),
        ('{"city":"Rome"}', "white space"),
        ('{\n  "city": "Rome"\n}', "white space"),
        ('{"stops": [{"to": "long"}]}', "string maxLength"),
        ('{"stops": [{}, {}, {}]}', "sign"),
        ('{"city": "Rome", "days": 2}', "tokens"),
    ],
)
def test_a_cause_is_found_in_the_grammar(text: str, cause: str) -> None:
    source = arguments(TOOL).constraint
    assert source is not None
    assert cause_in(Constraint("json_schema", source), SCHEMA, text) == cause


@pytest.mark.parametrize(
    ("free", "constrained", "cause"),
    [
        (travel("{}"), travel("{}"), None),
        (travel("{}"), Answer("Where to?"), "text"),
        (Answer("Where?"), Answer("Where to?"), "text"),
        (Answer("Travel {}"), travel("{}"), "call instead of text"),
        (travel("{}"), Answer(), "number of calls"),
        (travel("{}"), Answer(calls=(GivenCall("fly", "{}"),)), "function"),
        (travel('{"days":1}'), travel('{"days": 1}'), "white space"),
    ],
)
def test_answers_differ_where_they_first_do(
    free: Answer, constrained: Answer, cause: str | None
) -> None:
    found = difference(QUESTION, free, constrained)
    assert (found and found.cause) == cause


def test_pieces_know_where_they_stand() -> None:
    text = '{"a": [1, {"b,": "\\"}"}], "c": null}'
    found = [(p.role, p.text, p.path) for p in pieces(text) if p.role != "sign"]
    assert found == [
        ("key", '"a"', ()),
        ("number", "1", ("a", 0)),
        ("key", '"b,"', ("a", 1)),
        ("string", '"\\"}"', ("a", 1, "b,")),
        ("key", '"c"', ()),
        ("number", "null", ("c",)),
    ]
    assert styled('{ "a":[1 ,2],"b" : {}}') == '{"a": [1, 2], "b": {}}'


@pytest.mark.parametrize(
    ("text", "ordered"),
    [
        ('{"city": "a", "x": 1, "days": 2}', True),
        ('{"days": 2, "city": "a"}', False),
        ('{"stops": [{"to": "a"}, {"at": "b", "to": "c"}]}', True),
        ('{"stops": [{"to": "a", "at": "b"}]}', False),
    ],
)
def test_order_is_that_of_the_schema(text: str, ordered: bool) -> None:
    assert in_order(SCHEMA, text) is ordered

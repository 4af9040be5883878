"""Objects as parameters: what a grammar takes is valid, and what is valid it takes."""

import json
import random
from typing import Any

import jsonschema
import pytest
from llguidance import LLMatcher

from benchmarks.random_requests import _schema
from functionary_sgl.chat.schema import arguments
from functionary_sgl.chat.tools import Tool
from functionary_sgl.engines.base import Constraint
from functionary_sgl.engines.grammar import check
from functionary_sgl.errors import InvalidSchema
from functionary_sgl.grammars.marks import Marks
from functionary_sgl.grammars.parameters import Places, parameters_text
from functionary_sgl.grammars.readings import readings
from functionary_sgl.runtime.parameters import Parameters
from functionary_sgl.sandbox import bytewise
from functionary_sgl.turns.formats.xml_call import MARKS
from tests.grammars.walks import BYTEWISE

INLINE = Marks('<parameter name="', '">', "</parameter>\n", "</invoke>\n")


def grammar(schema: Any, marks: Places = MARKS) -> LLMatcher:
    """That of arguments by `schema`, at its beginning."""
    constraint = arguments(Tool("f", parameters_json=json.dumps(schema))).constraint
    assert constraint is not None
    text = parameters_text(json.loads(constraint), marks)
    matcher = LLMatcher(BYTEWISE, LLMatcher.grammar_from_lark(text))
    assert not matcher.is_error(), matcher.get_error()
    return matcher


def takes(matcher: LLMatcher, text: str) -> bool:
    ids, copy = list(text.encode()), matcher.deep_copy()
    return copy.try_consume_tokens(ids) == len(ids) and bool(copy.is_accepting())


def said(schema: Any, text: str, marks: Marks = MARKS) -> Any:
    whole = arguments(Tool("f", parameters_json=json.dumps(schema))).whole
    reader = Parameters(marks, readings(whole), strict=True)
    told = reader.feed(text)
    assert reader.ended
    return json.loads(told)


def parameters(*values: tuple[str, str]) -> str:
    listed = (f"<parameter={name}>\n{value}\n</parameter>\n" for name, value in values)
    return "".join(listed) + MARKS.end


def walk(matcher: LLMatcher, marks: Marks, dice: random.Random) -> str | None:
    """A text that the grammar allows, its values ended early; None where it does not come to an
    end."""
    copy, text, close = matcher.deep_copy(), bytearray(), marks.close.encode()
    while not copy.is_stopped():
        if len(text) > 2_000:
            return None
        mask = copy.compute_bitmask()
        allowed = [byte for byte in range(256) if mask[byte // 8] >> byte % 8 & 1]
        assert allowed, f"a dead end after {bytes(text)!r}"
        begun = max(k for k in range(len(close)) if text.endswith(close[:k]))
        likely = 0.95 if begun else 0.25
        if close[begun] in allowed and dice.random() < likely:
            byte = close[begun]
        else:
            closers = [byte for byte in allowed if byte in b'}]"'] if len(text) > 100 else []
            byte = dice.choice(closers or allowed)
        assert copy.consume_token(byte)
        text.append(byte)
    return text.decode()


@pytest.mark.parametrize("marks", [MARKS, INLINE])
@pytest.mark.parametrize("seed", range(40))
def test_what_it_takes_is_valid(seed: int, marks: Marks) -> None:
    dice = random.Random(seed)
    properties = {name: _schema(dice, 1) for name in ("a", "größe", "x y")}
    schema = {"type": "object", "properties": properties, "required": ["a"]}
    matcher = grammar(schema, marks)
    for text in filter(None, [walk(matcher, marks, dice) for _ in range(3)]):
        jsonschema.validate(said(schema, text, marks), schema)


THREE: Any = {
    "type": "object",
    "properties": {"a": {"type": "string"}, "b": {"type": "integer"}, "c": {"type": "boolean"}},
    "required": ["a", "c"],
}


@pytest.mark.parametrize(
    ("names", "taken"),
    [
        ("ac", True),
        ("ca", True),
        ("bca", True),
        ("acb", True),
        ("ab", False),  # c must come
        ("aca", False),  # each once
        ("acd", False),  # d is not listed
        ("", False),
    ],
)
def test_each_comes_once_in_any_order_and_required_ones_must(names: str, taken: bool) -> None:
    values = {"a": "x", "b": "1", "c": "true", "d": "1"}
    text = parameters(*((name, values[name]) for name in names))
    assert takes(grammar(THREE), text) is taken


def test_many_come_in_the_order_of_the_schema() -> None:
    names = "abcdefgh"
    schema = {"type": "object", "properties": {n: {"type": "null"} for n in names}}
    matcher = grammar(schema)
    assert takes(matcher, parameters(*((name, "null") for name in names)))
    assert takes(matcher, parameters(("b", "null"), ("g", "null")))
    assert not takes(matcher, parameters(("h", "null"), ("d", "null")))


VALUES: list[tuple[Any, list[tuple[str, Any]], list[str]]] = [
    (
        {"type": "string"},
        [
            ("", ""),
            ("5", "5"),
            ("null", "null"),
            ('say "hi"\n\n\t\\n', 'say "hi"\n\n\t\\n'),
            ("</parameter>", "</parameter>"),
            ("a</parameter>\n<parameter=b>\n", "a</parameter>\n<parameter=b>\n"),
            ("</function>\n</tool_call>", "</function>\n</tool_call>"),
        ],
        [],
    ),
    ({"type": "string", "minLength": 2, "maxLength": 3}, [("\n\n", "\n\n"), ("é🙂", "é🙂")], ["a"]),
    ({"type": "string", "pattern": "^[a-z/]+$"}, [("a/b", "a/b")], ["A", "a\nb"]),
    ({"enum": ["a/b", 'c"d', 3]}, [("a/b", "a/b"), ('c"d', 'c"d'), ("3", 3)], ["4", '"a/b"']),
    (
        {"type": "boolean"},
        [("true", True), ("False", False)],
        ["TRUE", "1", '"true"'],
    ),
    ({"type": ["integer", "null"]}, [("None", None), ("-7", -7)], ["", "x"]),
    (
        {"anyOf": [{"type": "string"}, {"type": "null"}]},
        [("null", None), ("None", None), ("nullx", "nullx"), ("nul", "nul"), ("5", "5")],
        [],
    ),
    (
        {"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 10}]},
        [("12", 12), ("5", "5"), ("12 ", "12 "), ("", "")],
        [],
    ),
    (
        {"anyOf": [{"type": "string", "minLength": 3}, {"type": "integer"}]},
        [("12", 12), ("abc", "abc"), ("12x", "12x")],
        ["ab"],
    ),
    (
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        [('["a"]', ["a"]), ("[a]", "[a]"), ("[1]", "[1]"), ("[", "[")],
        [],
    ),
    (
        {"type": "object", "properties": {"k": {"type": "string"}}, "required": ["k"]},
        [('{"k": "v\\n"}', {"k": "v\n"})],
        ["{}", "{'k': 'v'}"],
    ),
    ({}, [("x", "x"), ('{"a": 1}', {"a": 1}), ("True", True), ("1.5", 1.5), ('"x"', '"x"')], []),
]


@pytest.mark.parametrize(("schema", "good", "bad"), VALUES)
def test_texts_stand_as_they_are_and_all_else_in_json(
    schema: Any, good: list[tuple[str, Any]], bad: list[str]
) -> None:
    whole = {"type": "object", "properties": {"v": schema}, "required": ["v"]}
    matcher = grammar(whole)
    for text, value in good:
        block = parameters(("v", text))
        assert takes(matcher, block), text
        told = said(whole, block)["v"]
        assert (told, type(told)) == (value, type(value))
    for text in bad:
        assert not takes(matcher, parameters(("v", text))), text


def test_a_text_ends_with_the_first_line_that_closes_it() -> None:
    """A text with such a line cannot be told from one that ends there."""
    schema = {"type": "object", "properties": {"v": {"type": "string"}}}
    assert not takes(grammar(schema), parameters(("v", "a\n</parameter>\nb")))
    listed = {"type": "object", "properties": {"v": {"enum": ["a\n</parameter>\nb", "c"]}}}
    assert takes(grammar(listed), parameters(("v", "c")))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "maxLength": 100_000},
        {"type": "string", "minLength": 500, "maxLength": 20_000},
        {"type": "string", "pattern": "^[a-z ]+$", "maxLength": 500},
        {"anyOf": [{"type": "string", "maxLength": 2_000}, {"type": "integer"}]},
        {"enum": [f"value number {number}" for number in range(1_000)]},
    ],
)
def test_long_texts_cost_little(schema: Any) -> None:
    """As the engine's limits have it."""
    whole = {"type": "object", "properties": {"v": schema, "w": {"type": "string"}}}
    constraint = arguments(Tool("f", parameters_json=json.dumps(whole))).constraint
    assert constraint is not None
    asked = Constraint("json_schema", constraint, marks=MARKS)
    assert check([asked], bytewise()) == [None]


@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        ({"additionalProperties": True}, ("any key", "[]"), {"any key": []}),
        ({"additionalProperties": {"type": "integer"}}, ("n", "1"), {"n": 1}),
        (
            {"patternProperties": {"^s": {"type": "string"}}, "additionalProperties": False},
            ("s1", "1"),
            {"s1": "1"},
        ),
        ({"properties": {"a": {}}, "additionalProperties": True}, ("ab", "x"), {"ab": "x"}),
    ],
)
def test_names_may_be_others(schema: Any, text: tuple[str, str], value: Any) -> None:
    matcher = grammar(schema)
    assert takes(matcher, parameters(text))
    assert said(schema, parameters(text)) == value


def test_references_and_conditions_apply() -> None:
    schema = {
        "type": "object",
        "properties": {"kind": {"enum": ["by", "at"]}, "by": {"$ref": "#/$defs/n"}},
        "required": ["kind"],
        "if": {"properties": {"kind": {"const": "by"}}},
        "then": {"required": ["by"]},
        "$defs": {"n": {"type": "integer"}},
    }
    matcher = grammar(schema)
    assert takes(matcher, parameters(("kind", "at")))
    assert takes(matcher, parameters(("by", "3"), ("kind", "by")))
    assert not takes(matcher, parameters(("kind", "by")))


def test_what_is_a_text_or_not_as_others_have_it_has_no_grammar() -> None:
    """`5` would be a text beside one value of `kind`, and a number beside another."""
    schema = {
        "type": "object",
        "properties": {"kind": {"enum": ["a", "b"]}, "v": {"type": ["string", "integer"]}},
        "if": {"properties": {"kind": {"const": "a"}}, "required": ["kind"]},
        "then": {"properties": {"v": {"type": "string"}}},
    }
    with pytest.raises(InvalidSchema, match="hangs on other parameters"):
        grammar(schema)

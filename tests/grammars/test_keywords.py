"""Arguments in Python: what a grammar takes is Python and valid, and what is valid it takes."""

import ast
import json
import random
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from llguidance import LLMatcher

from benchmarks.random_requests import _schema
from functionary_sgl.chat.schema import arguments
from functionary_sgl.chat.tools import Tool
from functionary_sgl.engines.base import Constraint
from functionary_sgl.engines.grammar import check
from functionary_sgl.errors import InvalidSchema
from functionary_sgl.grammars.keywords import KEYWORDS
from functionary_sgl.grammars.parameters import parameters_text
from functionary_sgl.runtime.keywords import Keywords
from functionary_sgl.sandbox import bytewise
from tests.grammars.test_parameters import grammar as of_places
from tests.grammars.test_parameters import takes
from tests.grammars.walks import walk

texts = st.text("ab'\"\\\n\té🙂", max_size=6) | st.text(max_size=4)


def grammar(schema: Any) -> LLMatcher:
    """That of arguments by `schema`, at its beginning."""
    return of_places(schema, KEYWORDS)


def said(text: str) -> Any:
    reader = Keywords(strict=True)
    told = reader.feed(text)
    assert reader.ended
    assert reader.passed == len(text)
    return json.loads(told)


def in_python(text: str) -> Any:
    """What Python takes the arguments for; JSON's words are no names there."""
    words = {"true": True, "false": False, "null": None}
    call = ast.parse(f"f({text}", mode="eval").body
    assert isinstance(call, ast.Call)
    assert not call.args
    source = "{" + ", ".join(f"{k.arg!r}: {ast.unparse(k.value)}" for k in call.keywords) + "}"
    return eval(source, {"__builtins__": {}}, words)


def object_of(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        ({"type": "string"}, '"Rome"', "Rome"),
        ({"type": "string"}, "'it\\'s'", "it's"),
        ({"type": "string"}, '"it\'s"', "it's"),
        ({"type": "string"}, r"'\x41\u00e9\U0001F642\n'", "Aé🙂\n"),
        ({"type": "integer"}, "-3", -3),
        ({"type": "number"}, "1.5e3", 1500.0),
        ({"type": "boolean"}, "True", True),
        ({"type": "boolean"}, "false", False),
        ({"type": ["string", "null"]}, "None", None),
        ({"type": ["string", "null"]}, "'None'", "None"),
        ({}, "{'a': [1, {'b': None}], \"c\": 'd'}", {"a": [1, {"b": None}], "c": "d"}),
        ({"enum": ["a'b", 1, None]}, '"a\'b"', "a'b"),
        ({"enum": ["a'b", 1, None]}, "'a\\'b'", "a'b"),
        ({"type": "string", "pattern": "^[a-c\n']+$"}, "'a\\n\\'c'", "a\n'c"),
        ({"type": "string", "maxLength": 2}, "'\\U0001F642é'", "🙂é"),
        ({"type": "array", "items": {"type": "string"}}, "[]", []),
    ],
)
def test_literals_are_taken_and_told(schema: Any, text: str, value: Any) -> None:
    matcher = grammar(object_of(a=schema))
    assert takes(matcher, f"a={text})")
    assert said(f"a={text})") == {"a": value} == in_python(f"a={text})")


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "string"}, "Rome"),
        ({"type": "string"}, "3"),
        ({"type": "string"}, "'a\nb'"),
        ({"type": "string"}, r"'\ud83d'"),
        ({"type": "string"}, r"'\/'"),
        ({"type": "integer"}, "'3'"),
        ({"type": "integer"}, "3.5"),
        ({"type": "integer"}, "03"),
        ({"type": "string", "maxLength": 2}, "'abc'"),
        ({"type": "string", "pattern": "^a+$"}, "'ab'"),
        ({"enum": ["a"]}, "'b'"),
        ({}, "(1, 2)"),
        ({}, "NaN"),
    ],
)
def test_what_is_no_literal_or_not_valid_is_barred(schema: Any, text: str) -> None:
    assert not takes(grammar(object_of(a=schema)), f"a={text})")


def test_arguments_come_in_the_schemas_order_and_others_behind_them() -> None:
    schema = {"properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}, "required": ["a"]}
    matcher = grammar({"type": "object", **schema, "additionalProperties": True})
    assert takes(matcher, "a=1, b=2, c='d')")
    assert takes(matcher, "a=1)")
    assert not takes(matcher, "b=2, a=1)")
    assert not takes(matcher, "a=1, a=2)")
    assert not takes(matcher, "b=2)")
    assert takes(grammar({"type": "object"}), ")")


@given(st.dictionaries(st.sampled_from(["a", "b_1", "é"]), texts))
def test_every_text_can_be_written_in_either_quotes(values: dict[str, str]) -> None:
    schema = {"type": "object", "additionalProperties": {"type": "string"}}
    for quote in "'\"":
        written = ", ".join(f"{key}={_quoted(value, quote)}" for key, value in values.items()) + ")"
        assert takes(grammar(schema), written)
        assert said(written) == values == in_python(written)


@given(texts)
def test_a_listed_text_can_be_written_in_either_quotes(text: str) -> None:
    matcher = grammar(object_of(a={"enum": [text, "other"]}))
    for quote in "'\"":
        assert takes(matcher, f"a={_quoted(text, quote)})")
        assert not takes(matcher, f"a={_quoted(text + 'x', quote)})") or text == "othe"


def _quoted(text: str, quote: str) -> str:
    """`text` as a literal, with escapes where it has to have them."""
    short = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b", "\f": "\\f", "\\": "\\\\"}
    short[quote] = "\\" + quote
    spelled = (short.get(one) or (f"\\x{ord(one):02x}" if one < " " else one) for one in text)
    return f"{quote}{''.join(spelled)}{quote}"


def test_a_name_that_its_end_would_cut_is_never_written() -> None:
    for name in ("a=b", ")", " a"):
        schema = {"type": "object", "properties": {name: {"type": "integer"}}}
        assert takes(grammar(schema), ")")
        with pytest.raises(InvalidSchema):
            parameters_text({**schema, "required": [name]}, KEYWORDS)


@pytest.mark.parametrize("seed", range(40))
def test_whatever_it_allows_is_valid(seed: int) -> None:
    dice = random.Random(seed)
    schema = {**_schema(dice, 3), "type": "object"}
    known = arguments(Tool("f", parameters_json=json.dumps(schema)))
    assert known.constraint is not None
    constraint = Constraint("json_schema", known.constraint, marks=KEYWORDS)
    if check([constraint], bytewise()) != [None]:
        return
    matcher = grammar(schema)
    for _ in range(5):
        text = walk(matcher, dice)
        if text is not None and text.endswith(")"):
            jsonschema.validate(said(text), json.loads(known.constraint))

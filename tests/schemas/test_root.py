"""Parameters as a whole: no keyword of theirs is lost in silence, and closing them loses nothing.

Each case: the parameters, arguments that satisfy them, arguments that do not, and what is told.
"""

import asyncio
import json
from typing import Any

import jsonschema_rs
import pytest
from llguidance import LLMatcher, LLTokenizer

from functionary_sgl.chat.schema import NO_ARGUMENTS
from functionary_sgl.chat.tools import Tool
from functionary_sgl.engines.base import Constraint
from functionary_sgl.engines.grammar import grammar
from functionary_sgl.engines.scripted import Script, ScriptedEngine
from functionary_sgl.errors import InvalidSchema
from functionary_sgl.gate import Gate
from functionary_sgl.tokenizer import Tokenizer

S, N = {"type": "string"}, {"type": "integer"}
AB = {"properties": {"a": S, "b": S}}
KIND = {"properties": {"kind": {"enum": ["a", "b"]}}, "required": ["kind"]}
IS_A = {"properties": {"kind": {"const": "a"}}}
NEEDS_X = {"properties": {"x": N}, "required": ["x"]}
A, B, BOTH = {"a": "x"}, {"b": "x"}, {"a": "x", "b": "x"}
BA = {"b": "x", "a": "x"}  # what is required comes before what is not listed
NODE = {"type": "object", "properties": {"v": N, "next": {"$ref": "#/$defs/node"}}}

EXACT: list[tuple[dict[str, Any], list[Any], list[Any]]] = [
    # Without properties.
    ({"required": ["a"]}, [{"a": 1}, {"a": 1, "b": 2}], [{}, B]),
    ({"properties": {}, "required": ["a"]}, [{"a": 1}], [{}, {"a": 1, "b": 2}]),
    ({"minProperties": 1}, [A], [{}]),
    ({"properties": {}, "minProperties": 1}, [A], [{}]),
    ({"maxProperties": 1}, [{}, A], [BOTH]),
    ({"const": {"a": 1}}, [{"a": 1}], [{}, {"a": 2}]),
    ({"not": {"required": ["a"]}}, [{}, B], [A, BOTH]),
    ({"not": {}, "properties": {"a": S}, "required": []}, [], []),
    ({"if": {"required": ["a"]}, "then": {"required": ["b"]}}, [{}, B, BA], [A]),
    ({"if": {"required": ["a"]}, "else": {"required": ["b"]}}, [A, B, BOTH], [{}]),
    ({"if": True, "then": {"required": ["a"]}}, [A], [{}]),
    ({"if": False, "then": {"required": ["a"]}, "else": {"required": ["b"]}}, [B], [{}, A]),
    ({"dependentRequired": {"a": ["b"]}}, [{}, B, BA], [A]),
    ({"dependentSchemas": {"a": {"required": ["b"]}}}, [{}, B, BA], [A]),
    ({"dependencies": {"a": ["b"], "b": {"properties": {"b": S}}}}, [{}, B], [A, {"b": 1}]),
    ({"propertyNames": {"pattern": "^a"}}, [{}, A], [B]),
    ({"propertyNames": {"enum": ["a", "c"]}}, [{}, A], [B]),
    ({"propertyNames": {"enum": ["a", "b"]}, "maxProperties": 1}, [{}, B], [{"c": 1}, BOTH]),
    ({"propertyNames": {"maxLength": 1}}, [{}, A], [{"ab": 1}]),
    ({"propertyNames": False}, [{}], [A]),
    ({"unevaluatedProperties": N}, [{}, {"a": 1}], [A]),
    # What is closed takes what it needs.
    ({**AB, "required": ["a", "c"]}, [{"a": "x", "c": 1}], [A, {"a": "x", "c": 1, "d": 1}]),
    ({"properties": {"o": {**AB, "required": ["c"]}}}, [{"o": {"c": 1}}], [{"o": A}]),
    ({**AB, "minProperties": 3}, [], []),
    (
        {**KIND, "if": IS_A, "then": NEEDS_X},
        [{"kind": "a", "x": 1}, {"kind": "b"}, {"kind": "b", "x": "y"}],
        [{"kind": "a"}, {"kind": "a", "x": "y"}, {"kind": "b", "y": 1}],
    ),
    ({**AB, "dependentRequired": {"a": ["c"]}}, [{"a": "x", "c": 1}, B], [A, {"d": 1}]),
    ({**AB, "dependentSchemas": {"a": NEEDS_X}}, [{"a": "x", "x": 1}, B], [A]),
    ({**AB, "dependencies": {"a": ["c"], "c": NEEDS_X}}, [{"a": "x", "c": 1, "x": 1}], [A]),
    ({**AB, "allOf": [NEEDS_X]}, [{"a": "x", "x": 1}], [A]),
    ({**AB, "minProperties": 1}, [A, B], [{}]),
    ({**AB, "not": {"required": ["c"]}}, [A], [{"c": 1}]),
    (
        {
            "properties": {"o": AB},
            "if": {"required": ["p"]},
            "then": {"properties": {"o": NEEDS_X}},
        },
        [{"o": {"a": "x", "x": 1}, "p": 1}, {"o": A}],
        [{"o": A, "p": 1}],
    ),
    (
        {
            "properties": {"kind": {"enum": ["a", "b", "c"]}, "x": S},
            "required": ["kind"],
            "allOf": [
                {"if": IS_A, "then": {"required": ["x"]}},
                {"if": {"properties": {"kind": {"const": "b"}}}, "then": {"required": ["y"]}},
                {"if": {"properties": {"kind": {"const": "c"}}}, "then": {"not": IS_A}},
            ],
        },
        [{"kind": "a", "x": "x"}, {"kind": "b", "y": 1}, {"kind": "c"}],
        [{"kind": "a"}, {"kind": "b"}],
    ),
    ({**AB, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, [A, B], [{}, BOTH]),
    (
        {"properties": {"n": {"type": "integer", "oneOf": [{"maximum": 5}, {"minimum": 3}]}}},
        [{"n": 2}, {"n": 6}],
        [{"n": 4}],
    ),
    # References.
    ({"properties": {"a": {"$ref": "#/$defs/s", "$defs": {"s": S}}}}, [A], [{"a": 1}]),
    ({"properties": {"n": {"$ref": "#"}}}, [{"n": 1}, {"n": {"n": {}}}], []),
    ({"$defs": {"node": NODE}, **NODE}, [{"v": 1, "next": {"v": 2}}], [{"next": 1}]),
    (
        {
            "properties": {"n": {"$ref": "#/$defs/node"}},
            "$defs": {
                "node": {
                    "type": "object",
                    "properties": {
                        "v": N,
                        "l": {"$ref": "#/$defs/node", "required": ["v"]},
                        "r": {"allOf": [{"$ref": "#/$defs/node"}], "type": "object"},
                    },
                }
            },
        },
        [{"n": {"v": 1, "l": {"v": 1, "l": {"v": 2}, "r": {}}}}, {"n": {"r": {"l": {"v": 1}}}}],
        [{"n": {"l": {}}}, {"n": {"r": {"l": {"v": 1, "l": {}}}}}, {"n": {"r": 1}}],
    ),
    # Trivial keywords, as generators write them.
    (
        {
            "properties": {
                "r": {
                    "type": "object",
                    "propertyNames": S,
                    "additionalProperties": N,
                    "minProperties": 0,
                },
                "l": {"type": "array", "items": S, "uniqueItems": True, "maxItems": 1},
                "m": {"type": "array", "contains": {}, "minContains": 0, "minItems": 0},
                "n": {"type": "array", "contains": True},
                "o": {
                    "not": False,
                    "if": S,
                    "then": {"title": "t"},
                    "dependentRequired": {"a": []},
                },
            },
            "additionalProperties": {},
        },
        [{"r": {"a": 1}, "l": ["x"], "m": [], "n": [1], "p": {"a": 1}}],
        [{"r": {"a": "x"}}, {"l": ["x", "x"]}, {"n": []}],
    ),
    # Order of keywords.
    (
        {"patternProperties": {"^a": S}, "allOf": [{"required": ["a"]}], "additionalProperties": N},
        [{"a": "x", "b": 1}],
        [{"b": 1}, {"a": "x", "b": "x"}, {"a": 1}],
    ),
]


@pytest.fixture(scope="module")
def gate(tokenizer: Tokenizer) -> Gate:
    return Gate(ScriptedEngine(Script(replies=[]), tokenizer))


def takes(constraint: str | None, value: Any) -> bool:
    assert constraint is not None
    matcher = LLMatcher(LLTokenizer("byte"), grammar(Constraint("json_schema", constraint)))
    text = json.dumps(value, ensure_ascii=False).encode()
    return bool(matcher.try_consume_tokens(list(text)) == len(text) and matcher.is_accepting())


def admitted(gate: Gate, parameters: Any, strict: bool = False) -> Any:
    tool = Tool("f", "", json.dumps(parameters), strict=strict, path="f")
    return asyncio.run(gate.admit([tool]))["f"]


@pytest.mark.parametrize("case", [case for case in EXACT if case[1]], ids=json.dumps)
def test_what_parameters_say_is_enforced(gate: Gate, case: Any) -> None:
    parameters, valid, invalid = case
    known = admitted(gate, parameters, strict=True)
    assert known.unenforced == ()
    whole = jsonschema_rs.Draft202012Validator(json.loads(known.whole), offline=True)
    for value in valid:
        assert whole.is_valid(value), value
        assert takes(known.constraint, value), value
    for value in invalid:
        assert not takes(known.constraint, value), value


TOLD = [
    ({"not": {"minProperties": 1}}, ["/not"], A),
    ({"if": {"minProperties": 1}, "then": {"required": ["b"]}}, ["/if", "/then"], A),
    ({"propertyNames": {"format": "uuid"}}, ["/propertyNames"], A),
    ({"minProperties": 3}, ["/minProperties"], A),
    ({**AB, "maxProperties": 1}, ["/maxProperties"], BOTH),
    ({**AB, "unevaluatedProperties": N, "anyOf": [AB]}, ["/unevaluatedProperties"], {"c": "x"}),
    ({"properties": {"a": {"contains": False}}}, ["/properties/a/contains"], {"a": [1]}),
    ({"properties": {"a": {"pattern": "[[:alpha:]]"}}}, ["/properties/a/pattern"], {"a": "1"}),
]


@pytest.mark.parametrize(("parameters", "told", "invalid"), TOLD, ids=json.dumps)
def test_what_is_not_enforced_is_told_counted_and_refused_to_strict_tools(
    gate: Gate, parameters: Any, told: list[str], invalid: Any
) -> None:
    known = admitted(gate, parameters)
    assert list(known.unenforced) == told
    assert takes(known.constraint, invalid)
    whole = jsonschema_rs.Draft202012Validator(json.loads(known.whole), offline=True)
    if "format" not in str(parameters):
        assert not whole.is_valid(invalid)
    with pytest.raises(InvalidSchema) as caught:
        admitted(gate, parameters, strict=True)
    assert caught.value.param == f"f.parameters{told[0]}"


@pytest.mark.parametrize("parameters", [{"not": True}, {"not": {}}, {**AB, "not": {"title": "t"}}])
def test_what_nothing_satisfies_is_told(gate: Gate, parameters: Any) -> None:
    assert admitted(gate, parameters).unenforced == ("/not",)
    with pytest.raises(InvalidSchema, match="cannot be enforced"):
        admitted(gate, parameters, strict=True)


@pytest.mark.parametrize(
    "parameters", [{}, {"properties": {}, "required": []}, {"title": "t", "$defs": {"a": S}}]
)
def test_a_function_that_says_nothing_of_arguments_takes_none(gate: Gate, parameters: Any) -> None:
    assert admitted(gate, parameters).constraint == NO_ARGUMENTS

"""Each keyword is enforced, or said not to be; and what is enforced is never more than was asked.

`tests/data/keywords.json` has schemas with values that satisfy them and values that do not. A
schema is that of the property `a`, beside the definitions below.
"""

import asyncio
import json
from typing import Any

import jsonschema_rs
import pytest
from llguidance import LLMatcher, LLTokenizer

from functionary_sgl.chat.schema import Arguments
from functionary_sgl.chat.tools import Tool
from functionary_sgl.engines.base import Constraint
from functionary_sgl.engines.grammar import grammar
from functionary_sgl.engines.scripted import Script, ScriptedEngine
from functionary_sgl.errors import InvalidSchema
from functionary_sgl.gate import Gate
from functionary_sgl.schemas import formats
from functionary_sgl.tokenizer import Tokenizer
from tests.paths import DATA

CASES = json.loads((DATA / "keywords.json").read_text())
DEFINITIONS = {
    "positive": {"$anchor": "pos", "type": "integer", "minimum": 1},
    "tree": {
        "type": "object",
        "properties": {
            "v": {"type": "integer"},
            "c": {"type": "array", "items": {"$ref": "#/$defs/tree"}},
        },
        "required": ["v"],
    },
}


def parameters(schema: Any) -> dict[str, Any]:
    properties = {"a": schema}
    return {
        "type": "object",
        "properties": properties,
        "required": ["a"],
        "additionalProperties": False,
        "$defs": DEFINITIONS,
    }


@pytest.fixture(scope="module")
def gate(tokenizer: Tokenizer) -> Gate:
    return Gate(ScriptedEngine(Script(replies=[]), tokenizer))


def admitted(gate: Gate, schema: Any, strict: bool = False) -> Arguments:
    text = json.dumps(parameters(schema))
    tool = Tool("f", "", text, strict=strict, path="tools[0].function")
    return asyncio.run(gate.admit([tool]))["f"]


def accepts(constraint: str, value: Any) -> bool:
    matcher = LLMatcher(LLTokenizer("byte"), grammar(Constraint("json_schema", constraint)))
    text = json.dumps({"a": value}, ensure_ascii=False).encode()
    return matcher.try_consume_tokens(list(text)) == len(text) and matcher.is_accepting()


@pytest.mark.parametrize("case", CASES, ids=[case["keyword"] for case in CASES])
def test_what_is_enforced_is_exactly_what_was_asked_or_told(
    case: dict[str, Any], gate: Gate
) -> None:
    known = admitted(gate, case["schema"])
    for value in case["valid"]:
        assert accepts(known.constraint, value), value
    if not known.unenforced:
        for value in case["invalid"]:
            assert not accepts(known.constraint, value), value


@pytest.mark.parametrize("case", CASES, ids=[case["keyword"] for case in CASES])
def test_the_whole_is_the_clients_schema(case: dict[str, Any], gate: Gate) -> None:
    whole = json.loads(admitted(gate, case["schema"]).whole)
    validator = jsonschema_rs.Draft202012Validator(whole, validate_formats=True, offline=True)
    for value in case["valid"]:
        assert validator.is_valid({"a": value}), value
    for value in case["invalid"]:
        assert not validator.is_valid({"a": value}), value


@pytest.mark.parametrize("case", CASES, ids=[case["keyword"] for case in CASES])
def test_strict_tools_are_enforced_or_refused(case: dict[str, Any], gate: Gate) -> None:
    """Where the tool is not strict, a format is told and not enforced."""
    unenforced = admitted(gate, case["schema"]).unenforced
    if isinstance(case["schema"], dict) and case["schema"].get("format") in formats.ENFORCED:
        assert unenforced == ("/properties/a/format",)
        unenforced = ()
    if not unenforced:
        known = admitted(gate, case["schema"], strict=True)
        assert known.unenforced == ()
        assert not any(accepts(known.constraint, value) for value in case["invalid"])
    else:
        with pytest.raises(InvalidSchema) as caught:
            admitted(gate, case["schema"], strict=True)
        assert caught.value.param == f"tools[0].function.parameters{unenforced[0]}"

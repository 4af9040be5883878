"""The same schema always gets the same verdict."""

import asyncio
import json
from typing import Any

import pytest

from functionary_sgl.chat.tools import Tool
from functionary_sgl.engines.base import TOO_COSTLY, Constraint
from functionary_sgl.engines.scripted import Script, ScriptedEngine
from functionary_sgl.errors import InvalidSchema
from functionary_sgl.gate import Gate
from functionary_sgl.tokenizer import Tokenizer
from tests import burdens

REPEATS = 10


def verdict(tokenizer: Tokenizer, schema: str, strict: bool = False) -> tuple[str, ...]:
    """Of a gate that has seen nothing before: what is not enforced, or why it is refused."""
    gate = Gate(ScriptedEngine(Script(replies=[]), tokenizer))
    tool = Tool("f", parameters_json=schema, strict=strict)
    try:
        return asyncio.run(gate.admit([tool]))["f"].unenforced
    except InvalidSchema as error:
        return (error.message, error.param or "")


@pytest.mark.parametrize("strict", [False, True])
def test_a_busy_machine_says_what_a_quiet_one_does(tokenizer: Tokenizer, strict: bool) -> None:
    def holds(schema: str) -> bool:
        return verdict(tokenizer, schema) == ()

    most = burdens.boundary(burdens.optional_letters, holds, 2_000)
    schemas = {
        burdens.kubernetes_like(4),
        burdens.two_dates(),
        burdens.optional_letters(most),
        burdens.optional_letters(most + 1),
    }
    with burdens.burning(1):
        for schema in schemas:
            told = {verdict(tokenizer, schema, strict) for _ in range(REPEATS)}
            assert len(told) == 1, told


class Refusing(ScriptedEngine):
    """Takes no constraint that says one of `words`."""

    words: tuple[str, ...] = ()
    fault = "no"

    def check(self, constraints: Any, patient: bool) -> list[str | None]:
        return [self._fault(constraint) for constraint in constraints]

    def _fault(self, constraint: Constraint) -> str | None:
        return self.fault if any(word in constraint.source for word in self.words) else None


EVERYTHING = {
    "type": "object",
    "properties": {
        "a": {"type": "string", "pattern": "^a"},
        "b": {"type": "number", "multipleOf": 2},
        "c": {"type": "object", "patternProperties": {"^c": {"type": "string"}}},
        "d": {"allOf": [{"type": "string", "maxLength": 5}]},
        "e": {"type": "string", "pattern": "^e"},
    },
}


@pytest.mark.parametrize(
    ("words", "unenforced"),
    [
        ((), []),
        (("multipleOf",), ["/properties/b/multipleOf"]),
        (("patternProperties",), ["/properties/c/patternProperties"]),
        (("^e",), ["/properties/e/pattern"]),
        (("maxLength",), ["/properties/d/allOf"]),
        (
            ("multipleOf", "maxLength"),
            [
                "/properties/a/pattern",
                "/properties/b/multipleOf",
                "/properties/c/patternProperties",
                "/properties/d/allOf",
                "/properties/e/pattern",
            ],
        ),
    ],
)
def test_as_little_is_left_out_as_can_be(
    tokenizer: Tokenizer, words: tuple[str, ...], unenforced: list[str]
) -> None:
    engine = Refusing(Script(replies=[]), tokenizer)
    engine.words = words
    tool = Tool("f", parameters_json=json.dumps(EVERYTHING))
    assert list(asyncio.run(Gate(engine).admit([tool]))["f"].unenforced) == unenforced


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (("multipleOf",), "parameters/properties/b/multipleOf"),
        (("^e",), "parameters/properties/e/pattern"),
        (("properties",), "parameters"),
    ],
)
def test_a_strict_tool_is_refused_at_what_is_at_fault(
    tokenizer: Tokenizer, words: tuple[str, ...], place: str
) -> None:
    engine = Refusing(Script(replies=[]), tokenizer)
    engine.words = words
    tool = Tool("f", parameters_json=json.dumps(EVERYTHING), strict=True)
    with pytest.raises(InvalidSchema, match="no") as raised:
        asyncio.run(Gate(engine).admit([tool]))
    assert (raised.value.param or "").endswith(place)


@pytest.mark.parametrize("fault", ["no", TOO_COSTLY])
def test_what_cannot_be_enforced_at_all_is_refused(tokenizer: Tokenizer, fault: str) -> None:
    engine = Refusing(Script(replies=[]), tokenizer)
    engine.words, engine.fault = ("properties",), fault
    tool = Tool("f", parameters_json=json.dumps(EVERYTHING))
    with pytest.raises(InvalidSchema, match=fault):
        asyncio.run(Gate(engine).admit([tool]))


# Of Python, of PCRE and Java, of JavaScript where the validator lacks it, and of nobody.
OTHER_DIALECTS = (
    *(r"(?P<n>a)(?P=n)", r"a{,3}", "(?#note)a"),
    *(r"\h+", r"(?>a|ab)c", r"\Qa.b\E", r"a\R", r"[[:alpha:]]", "(?x) a b"),
    *(r"(?<n>a)\k<n>", r"\p{Script=Greek}", r"[\p{L}--a]", "(?<=a)b", "x{3,1}", "(a", "[a", "*"),
)


@pytest.mark.parametrize("pattern", OTHER_DIALECTS)
@pytest.mark.parametrize("schema", ["value", "key", "name"])
def test_a_pattern_of_another_dialect_is_told(
    tokenizer: Tokenizer, schema: str, pattern: str
) -> None:
    """People bring schemas as their generators wrote them; the rest of these is enforced."""
    a: dict[str, Any] = {
        "value": {"type": "string", "pattern": pattern},
        "key": {"type": "object", "patternProperties": {pattern: {"type": "string"}}},
        "name": {"type": "object", "propertyNames": {"pattern": pattern}},
    }[schema]
    text = json.dumps({"type": "object", "properties": {"a": a, "b": {"type": "integer"}}})
    told = verdict(tokenizer, text)
    assert told in ((), (f"/properties/a/{list(a)[1]}",))
    strict = verdict(tokenizer, text, strict=True)
    assert strict[1:] == told or told[0] in strict[1]

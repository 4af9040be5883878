"""What the gate spends on a schema, and what it remembers."""

import asyncio
import contextlib
import json
from collections.abc import Sequence

import pytest

from functionary_sgl import gate as module
from functionary_sgl.chat.tools import Tool
from functionary_sgl.engines.base import Constraint
from functionary_sgl.engines.scripted import Script, ScriptedEngine
from functionary_sgl.errors import InvalidSchema
from functionary_sgl.gate import Gate
from functionary_sgl.tokenizer import Tokenizer
from tests import hostile

ENDLESS = hostile.SCHEMAS["recursive without end"]
LARGE = hostile.SCHEMAS["1,000 properties"]


NO_REQUEST = {"nested 1000 deep", "nested 20000 deep"}
"""Refused before anybody looks for schemas in them."""


class Asked(ScriptedEngine):
    """Counts how often it is asked for trials."""

    trials = 0

    def check(self, constraints: Sequence[Constraint]) -> list[str | None]:
        self.trials += 1
        return super().check(constraints)


@pytest.fixture
def engine(tokenizer: Tokenizer) -> Asked:
    return Asked(Script(replies=[]), tokenizer)


@pytest.fixture
def gate(engine: Asked) -> Gate:
    return Gate(engine)


def tool(schema: str, **fields: object) -> Tool:
    return Tool("f", parameters_json=schema, **fields)  # type: ignore[arg-type]


async def refusal(gate: Gate, tool: Tool) -> InvalidSchema:
    with pytest.raises(InvalidSchema) as raised:
        await gate.admit([tool])
    return raised.value


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("name", [name for name in hostile.SCHEMAS if name not in NO_REQUEST])
def test_two_trials_are_all_that_a_schema_gets(
    engine: Asked, gate: Gate, name: str, strict: bool
) -> None:
    with contextlib.suppress(InvalidSchema):
        asyncio.run(gate.admit([tool(hostile.SCHEMAS[name], strict=strict)]))
    assert engine.trials <= 2


LOOK_AHEAD = {"type": "string", "pattern": "(?=b)b"}
MANY = json.loads(hostile.SCHEMAS["all of many alternatives"])


@pytest.mark.parametrize(
    ("parameters", "unenforced"),
    [
        ({"properties": {"a": LOOK_AHEAD, "b": {"pattern": "^b$"}}}, ["/properties/a/pattern"]),
        (
            MANY | {"patternProperties": {"x": {"pattern": "^b$"}}},
            ["/properties/a/allOf", "/patternProperties"],
        ),
    ],
)
def test_no_more_is_left_out_than_has_to_be(
    gate: Gate, parameters: object, unenforced: list[str]
) -> None:
    admitted = asyncio.run(gate.admit([tool(json.dumps(parameters))]))
    assert list(admitted["f"].unenforced) == unenforced


@pytest.mark.parametrize("schema", [ENDLESS, LARGE, '{"properties": {"a": {"type": "foo"}}}'])
def test_a_refusal_is_remembered(engine: Asked, gate: Gate, schema: str) -> None:
    first = asyncio.run(refusal(gate, tool(schema, path="tools[0].function")))
    trials = engine.trials
    again = asyncio.run(refusal(gate, tool(schema, path="tools[7].function")))
    assert engine.trials == trials
    assert again.message == first.message
    assert first.param is not None
    assert again.param == first.param.replace("[0]", "[7]")


def test_who_is_refused_at_once_is_so_by_one_trial(engine: Asked, gate: Gate) -> None:
    async def ask() -> set[str]:
        refusals = await asyncio.gather(*(refusal(gate, tool(ENDLESS)) for _ in range(8)))
        return {error.message for error in refusals}

    assert len(asyncio.run(ask())) == 1
    assert engine.trials == 1


def test_a_refusal_is_not_for_ever(
    engine: Asked, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REFUSED_SECONDS", 0)
    asyncio.run(refusal(gate, tool(ENDLESS)))
    asyncio.run(refusal(gate, tool(ENDLESS)))
    assert engine.trials == 2


def test_refusals_take_a_bounded_place(engine: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CACHE_BYTES", 5_000)
    gate = Gate(engine)
    for number in range(10):
        asyncio.run(refusal(gate, Tool(f"f{number}", parameters_json=ENDLESS)))
    assert engine.trials == 10
    asyncio.run(refusal(gate, Tool("f9", parameters_json=ENDLESS)))
    assert engine.trials == 10
    asyncio.run(refusal(gate, Tool("f0", parameters_json=ENDLESS)))
    assert engine.trials == 11

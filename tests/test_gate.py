"""What the gate spends on a schema, what it remembers, and who waits for whom."""

import asyncio
import contextlib
import json
from collections.abc import Sequence
from threading import Event

import pytest

from functionary_sgl import gate as module
from functionary_sgl import sandbox
from functionary_sgl.chat.tools import Tool
from functionary_sgl.engines.base import TOO_COSTLY, Constraint
from functionary_sgl.engines.scripted import Script, ScriptedEngine
from functionary_sgl.errors import InvalidSchema
from functionary_sgl.gate import Gate
from functionary_sgl.tokenizer import Tokenizer
from tests import burdens, hostile

ENDLESS = hostile.SCHEMAS["recursive without end"]
SLOW = burdens.optional_properties(350, "slow")


NO_REQUEST = {"nested 1000 deep", "nested 20000 deep"}
"""Refused before anybody looks for schemas in them."""


class Asked(ScriptedEngine):
    """Counts how often it is asked for trials."""

    trials = 0

    def check(self, constraints: Sequence[Constraint], patient: bool) -> list[str | None]:
        self.trials += 1
        return super().check(constraints, patient)


class Stuck(ScriptedEngine):
    """Needs patience for SLOW, until it may go on."""

    def __init__(self, script: Script, tokenizer: Tokenizer) -> None:
        super().__init__(script, tokenizer)
        self.reached, self.go_on = Event(), Event()

    def check(self, constraints: Sequence[Constraint], patient: bool) -> list[str | None]:
        if "slow" in constraints[0].source:
            if not patient:
                return [TOO_COSTLY] * len(constraints)
            self.reached.set()
            self.go_on.wait()
        return super().check(constraints, patient)


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
def test_a_schema_gets_few_trials(engine: Asked, gate: Gate, name: str, strict: bool) -> None:
    with contextlib.suppress(InvalidSchema):
        asyncio.run(gate.admit([tool(hostile.SCHEMAS[name], strict=strict)]))
    assert engine.trials <= 8


LOOK_AHEAD = {"type": "string", "pattern": "(?=b)b"}
MANY = json.loads(hostile.SCHEMAS["all of many alternatives"])


@pytest.mark.parametrize(
    ("parameters", "unenforced"),
    [
        ({"properties": {"a": LOOK_AHEAD, "b": {"pattern": "^b$"}}}, ["/properties/a/pattern"]),
        (
            MANY | {"patternProperties": {"x": {"pattern": "^b$"}}},
            ["/properties/a/allOf"],
        ),
    ],
)
def test_no_more_is_left_out_than_has_to_be(
    gate: Gate, parameters: object, unenforced: list[str]
) -> None:
    admitted = asyncio.run(gate.admit([tool(json.dumps(parameters))]))
    assert list(admitted["f"].unenforced) == unenforced


@pytest.mark.parametrize("schema", [ENDLESS, '{"properties": {"a": {"type": "foo"}}}'])
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


def test_what_time_decided_is_not_remembered(
    engine: Asked, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SOON_SECONDS", "PATIENT_SECONDS"):
        monkeypatch.setattr(sandbox, name, 0.001)
    asyncio.run(refusal(gate, tool(SLOW)))
    trials = engine.trials
    asyncio.run(refusal(gate, tool(SLOW)))
    assert engine.trials == 2 * trials
    monkeypatch.undo()
    asyncio.run(gate.admit([tool(SLOW)]))


def test_nobody_waits_behind_a_schema_that_takes_long(tokenizer: Tokenizer) -> None:
    engine = Stuck(Script(replies=[]), tokenizer)
    gate = Gate(engine)

    async def ask() -> None:
        slow = asyncio.create_task(gate.admit([tool(SLOW)]))
        await asyncio.to_thread(engine.reached.wait)
        for number in range(5):
            await gate.admit([tool(f'{{"properties": {{"p{number}": {{}}}}}}')])
        assert not slow.done()
        engine.go_on.set()
        await slow

    asyncio.run(ask())


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

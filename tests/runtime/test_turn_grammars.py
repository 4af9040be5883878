"""A turn's grammar is made once, when its offer comes again, and used where nothing changes."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from functionary_sgl.engines.base import Sampling
from functionary_sgl.runtime.turn import Turn
from functionary_sgl.runtime.turn_grammar import TurnGrammar
from functionary_sgl.runtime.turn_grammars import TurnGrammars
from tests.formats import PROMPTERS
from tests.runtime.test_turn_grammar import turn_of

PROMPTER = PROMPTERS["v3.llama3"]
TURN = turn_of(PROMPTER, "required")


class Trying:
    """An engine that tries grammars, and takes them unless there is a `fault`."""

    takes_turns = True

    def __init__(self, fault: str | None = None) -> None:
        self.fault = fault
        self.tried = 0

    def check(self, constraints: Any, patient: bool) -> list[str | None]:
        self.tried += len(constraints)
        return [self.fault] * len(constraints)


def asked(engine: Any, *turns: Turn) -> list[TurnGrammar | None]:
    """What is there for each of `turns`, one after the other."""
    grammars = TurnGrammars(engine, PROMPTER.tokenizer)

    async def ask() -> list[TurnGrammar | None]:
        found = []
        for turn in turns:
            found.append(grammars.of(turn))
            await asyncio.gather(*grammars._making)
        return found

    return asyncio.run(ask())


def test_it_is_there_from_the_third_time_on() -> None:
    engine = Trying()
    first, second, third, fourth = asked(engine, *[TURN] * 4)
    assert first is second is None
    assert third is fourth is not None
    assert engine.tried == 1


def test_another_offer_has_another() -> None:
    other = turn_of(PROMPTER, "auto")
    found = asked(Trying(), TURN, other, TURN, other, TURN, other)
    assert found[:4] == [None] * 4
    assert None not in found[4:]
    assert found[4] != found[5]


def test_what_the_engine_does_not_take_is_not_used() -> None:
    engine = Trying("it is too large")
    assert asked(engine, *[TURN] * 4) == [None] * 4
    assert engine.tried == 1
    engine.takes_turns = False
    assert asked(engine, *[TURN] * 4) == [None] * 4


@pytest.mark.parametrize(
    "fields",
    [
        {"sampling": Sampling(presence_penalty=0.1)},
        {"sampling": Sampling(frequency_penalty=-0.1)},
        {"sampling": Sampling(repetition_penalty=1.1)},
        {"sampling": Sampling(logit_bias={5: 1.0})},
        {"top_logprobs": 0},
        {"continues": True},
    ],
)
def test_turns_that_would_be_drawn_otherwise_have_none(fields: dict[str, Any]) -> None:
    assert asked(Trying(), *[replace(TURN, **fields)] * 4) == [None] * 4

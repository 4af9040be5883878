"""The suites of `make promises`: no case is worse than it was.

What the sandbox does in processes of its own is done in this one, which these schemas do not harm:
thousands of them take seconds.
"""

import runpy
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks.promises import ratchet
from benchmarks.promises.outcomes import TOKENIZER, outcomes
from benchmarks.promises.suites import SUITES
from functionary_sgl import sandbox
from functionary_sgl.engines.base import Constraint
from functionary_sgl.engines.grammar import check
from functionary_sgl.engines.scripted import Script, ScriptedEngine
from functionary_sgl.gate import Gate, trials
from functionary_sgl.sandbox import Trial
from functionary_sgl.tokenizer import Tokenizer


class Here:
    """Does what the sandboxes' worker does, in this process."""

    def __init__(self, fault_of: Callable[[str, str, str, Any], str | None]) -> None:
        self._fault_of = fault_of

    def run(self, tried: Sequence[Trial], patient: bool) -> list[str | None]:
        return [self._fault_of(*trial, TOKENIZER) for trial in tried]


class Engine(ScriptedEngine):
    def __init__(self, here: Here, tokenizer: Tokenizer) -> None:
        super().__init__(Script(replies=[]), tokenizer)
        self._here = here

    def check(self, constraints: Sequence[Constraint], patient: bool) -> list[str | None]:
        return check(constraints, self._here, patient)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def gate(tokenizer: Tokenizer) -> Iterator[Gate]:
    worker = Path(sandbox.__file__).with_name("worker.py")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["worker"])
        patch.syspath_prepend(worker.parent)
        here = Here(runpy.run_path(str(worker))["fault_of"])
        patch.setattr(trials, "bytewise", lambda: here)
        yield Gate(Engine(here, tokenizer))


PARTS = {"BFCL": 8, "real schemas": 4, "function calls, generated": 2}
"""Of these, one case in so many is looked at here, and all that anything is expected of."""


@pytest.mark.parametrize("suite", SUITES)
def test_no_promise_is_kept_less_than_before(gate: Gate, suite: str) -> None:
    remarkable = {
        name for part in ratchet.expected(suite).values() if isinstance(part, dict) for name in part
    }
    every = PARTS.get(suite, 1)
    cases = [
        case
        for number, case in enumerate(SUITES[suite]())
        if number % every == 0 or case.name in remarkable
    ]
    assert ratchet.worse(suite, outcomes(gate, cases)) == []

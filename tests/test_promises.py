"""The suites of `make promises`: no case is worse than it was, and what is better is written down.

What the sandbox does in processes of its own is done in this one, which these schemas do not harm:
thousands of them take seconds.
"""

import runpy
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest

from benchmarks.promises import ratchet
from benchmarks.promises.outcomes import TOKENIZER, outcomes
from benchmarks.promises.suites import SUITES
from benchmarks.promises.walks import Walks, walk
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
        self._fault_of = cache(fault_of)  # a tool that is strict mostly has the same grammar

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


PARTS = {
    **{
        f"{draft}, as {how}": 6
        for draft in ("draft4", "draft7")
        for how in ("a property", "the root")
    },
    **dict.fromkeys(("draft2020-12, as a property", "draft2020-12, as the root"), 3),
    **{"BFCL": 25, "function calls, written": 2, "function calls, generated": 4, "real schemas": 6},
}
"""Of these suites, one case in so many is looked at here; all are by `make promises`."""

WALKS = 15
"""In each suite."""

UPDATE = "This is better than expected; `python -m benchmarks.promises --update` writes it down."


@pytest.mark.parametrize("suite", SUITES)
def test_what_is_promised_is_kept_as_expected(gate: Gate, suite: str) -> None:
    """And whatever the grammars of what is enforced exactly spell is valid."""
    cases = list(SUITES[suite]())[:: PARTS.get(suite, 1)]
    found = outcomes(gate, cases)
    assert ratchet.worse(suite, found) == []
    assert ratchet.better(suite, found) == [], UPDATE
    exact = [(case, known) for case in cases if (known := found[case.name].enforced)]
    random, walks = Random(0), Walks()
    for case, known in random.choices(exact, k=WALKS):
        walk(case, known, 1, random, walks)
    assert walks.wrong == []
    assert walks.texts > WALKS / 2


@pytest.mark.parametrize("suite", SUITES)
def test_nothing_invalid_may_ever_be_taken_in_silence(suite: str) -> None:
    expected = ratchet.expected(suite)
    assert expected["false positives"] == {}
    assert expected["misjudged"] == {}

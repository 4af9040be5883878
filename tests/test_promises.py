"""The suites of `make promises`: no case is worse than it was.

Schemas are tried in this process, which is as strict as the sandbox but quicker.
"""

from collections.abc import Sequence
from functools import cache

import pytest
from llguidance import LLMatcher

from benchmarks.promises import ratchet
from benchmarks.promises.outcomes import TOKENIZER, outcomes
from benchmarks.promises.suites import SUITES
from functionary_sgl.engines.base import Constraint
from functionary_sgl.engines.scripted import Script, ScriptedEngine
from functionary_sgl.gate import Gate
from functionary_sgl.tokenizer import Tokenizer


class Here(ScriptedEngine):
    """Tries constraints without a sandbox, which known schemas do not need."""

    def check(self, constraints: Sequence[Constraint]) -> list[str | None]:
        return [_fault(constraint.source) for constraint in constraints]


@cache
def _fault(source: str) -> str | None:
    defaults = {"whitespace_flexible": False}
    try:
        grammar = LLMatcher.grammar_from_json_schema(source, defaults=defaults)
        matcher = LLMatcher(TOKENIZER, grammar, log_level=0)
        matcher.compute_bitmask()
    except ValueError as error:
        return str(error)
    return str(matcher.get_error()) if matcher.is_error() else None


@pytest.fixture(scope="module")
def gate(tokenizer: Tokenizer) -> Gate:
    return Gate(Here(Script(replies=[]), tokenizer))


@pytest.mark.parametrize("suite", SUITES)
def test_no_promise_is_kept_less_than_before(gate: Gate, suite: str) -> None:
    found = outcomes(gate, SUITES[suite]())
    assert ratchet.worse(suite, found) == []

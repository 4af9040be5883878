"""Constraints as grammars of llguidance, which enforces them or says that it cannot.

SGLang's own default, xgrammar, passes over what it does not know and lets control characters into
strings with a length limit, so that arguments need not even be JSON (seen with 0.2.7).
"""

import json
from collections.abc import Sequence
from functools import lru_cache

from llguidance import LLMatcher, LLParserLimits, LLTokenizer

from functionary_sgl.engines.base import TOO_COSTLY, Constraint
from functionary_sgl.engines.cost import excess
from functionary_sgl.errors import InvalidSchema
from functionary_sgl.grammars import grammar_text
from functionary_sgl.grammars.parameters import parameters_text
from functionary_sgl.sandbox import Sandboxes, Trial
from functionary_sgl.sandbox.limits import GENERATION

_BYTEWISE = LLTokenizer("byte")


def check(
    constraints: Sequence[Constraint], sandboxes: Sandboxes, patient: bool = True
) -> list[str | None]:
    """For each of `constraints`, None or why it cannot be enforced; `Engine.check`."""
    planned = [_trial(constraint) for constraint in constraints]
    trials = [trial for trial in planned if isinstance(trial, Trial)]
    told = iter(sandboxes.run(trials, patient) if trials else ())
    return [next(told, TOO_COSTLY) if isinstance(p, Trial) else p for p in planned]


def limits() -> LLParserLimits:
    """Of a matcher with which something is generated: what was checked is within them."""
    return LLParserLimits(**GENERATION)


def grammar(constraint: Constraint) -> str:
    """`constraint`, which has been checked, as a grammar of llguidance."""
    if constraint.kind == "regex":
        return str(LLMatcher.grammar_from_regex(constraint.source))
    if constraint.kind == "lark":
        return str(LLMatcher.grammar_from_lark(constraint.source))
    return str(LLMatcher.grammar_from_lark(lark(constraint)))


def beginnings(constraint: Constraint) -> tuple[str, ...]:
    """The ASCII characters with which a text by `constraint`, which has been checked, may begin."""
    mask = LLMatcher(_BYTEWISE, grammar(constraint), log_level=0, limits=limits()).compute_bitmask()
    return tuple(chr(byte) for byte in range(128) if mask[byte // 8] >> byte % 8 & 1)


@lru_cache(maxsize=128)
def lark(constraint: Constraint) -> str:
    """A JSON Schema between its lead and its tails, or with its marks, in llguidance's dialect of
    Lark.

    Raises InvalidSchema for what no grammar can hold.
    """
    schema = json.loads(constraint.source)
    if constraint.marks is not None:
        return parameters_text(schema, constraint.marks, constraint.tails)
    return grammar_text(schema, constraint.lead, constraint.tails)


def _trial(constraint: Constraint) -> Trial | str:
    """How `constraint` is tried, or why it need not be."""
    if constraint.kind != "json_schema":
        return Trial(constraint.kind, constraint.source)
    if fault := excess(constraint):
        return fault
    try:
        return Trial("lark", lark(constraint))
    except InvalidSchema as error:
        return error.message

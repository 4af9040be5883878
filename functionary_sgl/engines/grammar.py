"""Constraints as grammars of llguidance, which enforces them or says that it cannot.

SGLang's own default, xgrammar, passes over what it does not know and lets control characters into
strings with a length limit, so that arguments need not even be JSON (seen with 0.2.7).
"""

import json
from collections.abc import Sequence

from llguidance import LLMatcher

from functionary_sgl.engines.base import TOO_LONG, Constraint
from functionary_sgl.sandbox import Sandbox, Trial

CHECK_SECONDS = 0.06
"""Processor time that constraints may take to be tried together."""


def check(constraints: Sequence[Constraint], sandbox: Sandbox) -> list[str | None]:
    """For each of `constraints`, None or why it cannot be enforced; `Engine.check`."""
    trials = [Trial(constraint.kind, constraint.source) for constraint in constraints]
    told = sandbox.run(trials, CHECK_SECONDS)
    return told + [TOO_LONG] * (len(trials) - len(told))


def grammar(constraint: Constraint) -> str:
    """`constraint`, which has been checked, as a grammar of llguidance."""
    if constraint.kind == "regex":
        return str(LLMatcher.grammar_from_regex(constraint.source))
    if constraint.lead:
        return str(LLMatcher.grammar_from_lark(with_lead(constraint)))
    return str(LLMatcher.grammar_from_json_schema(constraint.source))


def with_lead(constraint: Constraint) -> str:
    """A JSON Schema behind its lead, in llguidance's dialect of Lark."""
    return f"start: {json.dumps(constraint.lead)} %json {constraint.source}"

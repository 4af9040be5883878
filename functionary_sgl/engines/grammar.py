"""Constraints as grammars of llguidance, which enforces them or says that it cannot.

SGLang's own default, xgrammar, passes over what it does not know and lets control characters into
strings with a length limit, so that arguments need not even be JSON (seen with 0.2.7).
"""

import json
from functools import lru_cache

from llguidance import LLMatcher

from functionary_sgl.engines.base import Constraint
from functionary_sgl.errors import InvalidSchema


@lru_cache(maxsize=4096)
def grammar(constraint: Constraint) -> str:
    """`constraint` as a grammar of llguidance; InvalidSchema where it cannot be enforced."""
    if constraint.kind == "regex":
        compiled = LLMatcher.grammar_from_regex(constraint.source)
    elif constraint.lead:
        compiled = LLMatcher.grammar_from_lark(with_lead(constraint))
    else:
        compiled = LLMatcher.grammar_from_json_schema(constraint.source)
    if error := LLMatcher.validate_grammar(compiled):
        raise InvalidSchema(f"The schema cannot be enforced: {error.splitlines()[0]}")
    return str(compiled)


def with_lead(constraint: Constraint) -> str:
    """A JSON Schema behind its lead, in llguidance's dialect of Lark."""
    return f"start: {json.dumps(constraint.lead)} %json {constraint.source}"

"""How much work a grammar may be, as llguidance counts it: a limit on work gives the same verdict
on a busy machine as on a quiet one. Imports nothing of the package (worker.py)."""

from collections.abc import Mapping

GENERATION: Mapping[str, int] = {"max_items_in_row": 6_500}
"""While answers are generated, as fields of `LLParserLimits`. An object with n optional properties
has 4 n items in a row, and an enum of n objects n; llguidance's own limit is 2,000."""

TRIAL: Mapping[str, int] = {
    **GENERATION,
    "max_grammar_size": 25_000,
    "max_lexer_states": 20_000,
}
"""In a trial. Nothing here may be looser than in a generation: what is let through works there.

Symbols of the grammar bound the time of its compilation. There is a state of the lexer for each
byte that is forced, and all that is forced is looked at anew for each token.
"""

"""JSON Schemas as grammars of llguidance.

What llguidance itself makes of a schema knows one spelling of most characters, and numbers as
doubles; here each value is taken in every spelling that JSON has for it, and numbers exactly. A
schema comes as `schemas.enforceable` gives it.
"""

from functionary_sgl.grammars.rules import grammar_text, value_of

__all__ = ["grammar_text", "value_of"]

"""Whether xgrammar, SGLang's default, can enforce a constraint."""

import json

from functionary_sgl.engines.base import Constraint


def objection_of_xgrammar(constraint: Constraint) -> str | None:
    """Why xgrammar cannot enforce `constraint`, or None; only converts, compiles nothing."""
    if constraint.kind == "lark" or constraint.marks is not None:
        return "it is a grammar in Lark, which needs --grammar-backend llguidance"
    import xgrammar
    from sglang.srt.constrained.json_schema_validation import validate_xgrammar_json_schema

    try:
        if constraint.kind == "regex":
            xgrammar.Grammar.from_regex(constraint.source)
        else:
            validate_xgrammar_json_schema(json.loads(constraint.source))
            xgrammar.Grammar.from_json_schema(constraint.source, any_whitespace=False)
    except (RuntimeError, ValueError) as error:
        return str(error).strip().splitlines()[-1]
    return None

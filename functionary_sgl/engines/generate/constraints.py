"""Constraints as SGLang takes them, by llguidance or by xgrammar."""

import json

from functionary_sgl.engines.base import Constraint
from functionary_sgl.engines.grammar import lark
from functionary_sgl.errors import EngineError


def constraint_param(constraint: Constraint, guided: bool) -> dict[str, str]:
    """The field of `sampling_params` for `constraint`; `guided`: by llguidance."""
    if constraint.kind == "lark":
        return {"ebnf": constraint.source}
    if constraint.kind == "json_schema" and guided:
        return {"ebnf": lark(constraint)}
    if constraint.marks is not None:
        raise EngineError(
            "This model writes arguments as parameters, which no grammar of xgrammar holds; start "
            "the server with --grammar-backend llguidance."
        )
    if not constraint.lead:
        return {constraint.kind: constraint.source}
    schema = {"type": "json_schema", "json_schema": json.loads(constraint.source)}
    elements = [{"type": "const_string", "value": constraint.lead}, schema]
    tag = {"type": "structural_tag", "format": {"type": "sequence", "elements": elements}}
    return {"structural_tag": json.dumps(tag)}

"""The step of programs whose calls have parameters."""

from collections.abc import Sequence
from typing import Any

from functionary_sgl.grammars.parameters import Places
from functionary_sgl.turns.offer import Offer
from functionary_sgl.turns.steps import matched
from functionary_sgl.turns.vocabulary import follow, parameters


def parameter_payload(
    s: Any, place: int, offer: Offer, name: str, marks: Places, before: Sequence[str] = ()
) -> bool:
    """The arguments of a call of `name` as parameters between `marks`, to the last of these; code
    for the code interpreter and the text of a tool that takes one are the only parameter. `before`:
    what may follow them. False if the turn ended with them."""
    if offer.is_code(name):
        s += parameters(f"code_{place}", _only("code", '{"type": "string"}'), marks, before)
        return True
    form = offer.inputs.get(name)
    if form is not None and form.kind == "lark":  # of a JSON string, with the space before it
        s += f"{marks.key}input{marks.value}"
        s += follow(f"input_{place}", form)
        s += marks.close + marks.end
        return True
    if form is not None:
        s += parameters(f"input_{place}", _only("input", form.source), marks, before)
        return True
    schema = offer.functions.get(name)
    s += parameters(f"arguments_{place}", schema, marks, before)
    return schema is not None or matched(s, f"arguments_{place}") is None


def _only(name: str, schema: str) -> str:
    """The JSON Schema of an object with this member only."""
    return (
        f'{{"type": "object", "properties": {{"{name}": {schema}}}, "required": ["{name}"],'
        ' "additionalProperties": false}'
    )

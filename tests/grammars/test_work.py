"""To write a grammar is bounded work: what is used often is written once, too much is refused."""

from typing import Any

import pytest

from functionary_sgl.errors import InvalidSchema
from functionary_sgl.grammars import grammar_text

MANY = {"enum": [f"value {number}" for number in range(5_000)]}
WIDE = {"type": "object", "properties": {f"p{number}": {} for number in range(1_000)}}


def uses(count: int, schema: Any, **more: Any) -> dict[str, Any]:
    one = {"$ref": "#/$defs/a"} | more
    return {
        "properties": {f"u{number}": dict(one) for number in range(count)},
        "$defs": {"a": schema},
    }


@pytest.mark.parametrize("schema", [MANY, WIDE])
def test_what_is_referred_to_often_is_written_once(schema: Any) -> None:
    assert (
        len(grammar_text(uses(1_000, schema))) < 2 * len(grammar_text(uses(100, schema))) + 200_000
    )
    assert grammar_text(uses(1_000, schema)).count("value 4999") <= 1


@pytest.mark.parametrize(
    "schema",
    [
        uses(1_000, MANY, allOf=[{"type": "string", "maxLength": 99}]),
        uses(100, WIDE, minProperties=1),
        {"items": {"enum": [{"a": number} for number in range(6_000)]}},
    ],
)
def test_too_much_is_refused(schema: Any) -> None:
    with pytest.raises(InvalidSchema, match="too large"):
        grammar_text(schema)


def test_references_that_lead_nowhere() -> None:
    definitions = {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}
    with pytest.raises(InvalidSchema):
        grammar_text({"items": {"$ref": "#/$defs/a"}, "minItems": 1, "$defs": definitions})

"""What the grammar engine does not bound by itself is bounded before it sees it."""

import json
from typing import Any

import pytest

from functionary_sgl.engines import cost
from functionary_sgl.engines.base import Constraint

NAMES = [f"p{i}" for i in range(2_000)]
SEVEN = [{"pattern": f"w{i}"} for i in range(7)]


def fault(schema: Any) -> str | None:
    return cost.excess(Constraint("json_schema", json.dumps(schema)))


@pytest.mark.parametrize(
    ("word", "schema"),
    [
        ("patterns", {"allOf": [*SEVEN, *SEVEN]}),
        ("patterns", {"items": {"allOf": [{"allOf": SEVEN}, {"allOf": SEVEN}]}}),
        ("patterns", {"properties": {"a": {"$ref": "#/$defs/a", "allOf": SEVEN}},
                      "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"allOf": SEVEN}}}),
        ("patterns", {"anyOf": [True, {"allOf": [*SEVEN, {"anyOf": [{"allOf": SEVEN}, {}]}]}]}),
        ("patterns", {"$defs": {"a": {"patternProperties": {"x": {"allOf": [*SEVEN, *SEVEN]}}}}}),
        ("multiple", {"allOf": [{"multipleOf": 997}, {"multipleOf": 0.991}]}),
        ("multiples", {"prefixItems": [{"multipleOf": 9_999 - i} for i in range(8)]}),
        ("optional", {"additionalProperties": {"properties": {f"p{i}": {} for i in range(1_251)}}}),
        ("characters", {"items": {"properties": {"k" * 10_001: True}}}),
        ("characters", {"enum": [{"a": ["v" * 10_001]}]}),
        ("characters", {"pattern": "p" * 10_001}),
    ],
)  # fmt: skip
def test_too_much(word: str, schema: Any) -> None:
    told = fault(schema)
    assert told is not None
    assert word in told


@pytest.mark.parametrize(
    "schema",
    [
        {"anyOf": SEVEN * 100},
        {"properties": {f"p{i}": {"allOf": SEVEN, "format": "date"} for i in range(1_000)}},
        {"allOf": [{"multipleOf": 100}, {"multipleOf": 0.01}]},
        {"properties": {f"p{i}": {"multipleOf": 0.01} for i in range(1_000)}},
        {"properties": {f"p{i}": {"multipleOf": 9_999} for i in range(1_000)}},
        {
            "properties": {f"p{i}": {} for i in range(2_000)},
            "required": [f"p{i}" for i in range(999)],
        },
        {
            "properties": {
                "pattern": {"type": "string"},
                "allOf": {},
                "$ref": {"multipleOf": 10_000},
            }
        },
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}},
        {"$ref": "http://example.com/schema.json"},
    ],
)
def test_no_more_than_what_is_taken(schema: Any) -> None:
    assert fault(schema) is None

"""Numbers that have to be multiples of another: llguidance's own, and integers."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from functionary_sgl.errors import InvalidSchema
from functionary_sgl.grammars.numbers import EXACT, Part, bounds, exact

_STEP = "multipleOf"


def has_steps(parts: Sequence[Part]) -> bool:
    """Whether numbers that satisfy `parts` have to be multiples, and are not listed."""
    return any(_STEP in part for part in parts) and not any("enum" in part for part in parts)


def simplified(parts: Sequence[Part]) -> Sequence[Part]:
    """`parts` without multiples that integers are anyway; those of 1 are integers."""
    integer = any(part.get("type") == "integer" or part.get(_STEP) == 1 for part in parts)
    return as_integers(parts) if integer else parts


def as_integers(parts: Sequence[Part]) -> Sequence[Part]:
    """Parts for the integers that satisfy `parts`."""
    one = Decimal(1)
    wholes = [part for part in parts if _STEP in part and _has_multiple(one, one, part[_STEP])]
    return [
        {"type": "integer"},
        *({k: v for k, v in p.items() if k != _STEP} if p in wholes else p for p in parts),
    ]


def multiples(parts: Sequence[Part]) -> dict[str, Any] | None:
    """A schema for llguidance's own numbers, which knows multiples, and bounds as doubles; None if
    there are none. They are kept to 18 digits, or 15 where they may have a fraction.

    Raises InvalidSchema for bounds that no double is.
    """
    integer = any(part.get("type") == "integer" for part in parts)
    low, high = bounds(parts, integer)
    limit = 10**18 if integer else 10**15 - 1
    low, high = max(low, Decimal(-limit)), min(high, Decimal(limit))
    if not all(_has_multiple(low, high, part[_STEP]) for part in parts if _STEP in part):
        return None
    kept = []
    for part in parts:
        keep = {key: v for key, v in part.items() if key != "type" and abs(v) <= limit}
        if any(Decimal(float(value)) != value for value in keep.values() if abs(value) > 2**53):
            raise InvalidSchema("Beside 'multipleOf', bounds must be numbers that doubles hold.")
        kept.append(keep | ({_STEP: part[_STEP]} if _STEP in part else {}))
    within = {"minimum": -limit, "maximum": limit}
    return {"type": "integer" if integer else "number", "allOf": [*kept, within]}


def _has_multiple(low: Decimal, high: Decimal, step: float) -> bool:
    """Whether there is a multiple of `step` from `low` to `high`."""
    times = EXACT.divide(low, exact(step)).to_integral_value("ROUND_CEILING")
    return EXACT.multiply(times, exact(step)) <= high

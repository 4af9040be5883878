"""Numbers of a JSON Schema as regular expressions: exact, finite, and of bounded length.

Whoever reads a number that is written here, as a double or exactly, reads one that satisfies the
schema: an exclusive bound is the next double, and parts of a whole end where doubles do.
"""

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from decimal import Context, Decimal
from typing import Any

from functionary_sgl.errors import InvalidSchema
from functionary_sgl.grammars.intervals import (
    MOST_FRACTION_DIGITS,
    decimals,
    either,
    integers,
)

EXACT = Context(prec=2_000)
_LARGEST = Decimal(sys.float_info.max)
_LARGEST_AS_READ = Decimal(repr(sys.float_info.max))
_SMALLEST_EXPONENT = -300
"""Every number with this one and up to MOST_FRACTION_DIGITS zeros is no subnormal."""

_UNIT = Decimal(1).scaleb(-MOST_FRACTION_DIGITS)

_LONGEST = EXACT.subtract(Decimal(10**308), _UNIT)
"""What is larger is written with an exponent."""

_WHOLE_DOUBLES = Decimal(2**53)
"""From here on, doubles are whole numbers, and not all of these."""

_MOST_MANTISSA_DIGITS = 4
"""Before the point of a number with an exponent."""

_NO_EXPONENT_BELOW = 1_000
"""Bounds between which nobody writes integers with an exponent."""

Part = Mapping[str, Any]


def number_pattern(parts: Sequence[Part]) -> str | None:
    """The regular expression for the numbers that satisfy all `parts`, schemas of keywords for
    numbers, with `type: integer`, and with `enum` of numbers alone; None if there are none.
    `multipleOf` counts beside `enum` only."""
    integer = any(part.get("type") == "integer" for part in parts)
    low, high = bounds(parts, integer)
    if any("enum" in part for part in parts):
        return _listed(parts, low, high, integer)
    if low > high:
        return None
    branches: list[str] = []
    excluded = not integer and _excludes_zero(parts)
    with_zero = low <= 0 <= high and not excluded
    if high >= 0:
        branches += _magnitudes(max(low, Decimal(0)), high, with_zero, integer)
    if low < 0:
        least = max(-high, Decimal(0))
        if negative := list(_magnitudes(least, -low, with_zero, integer)):
            branches.append(f"-{either(negative)}")
    return either(branches) if branches else None


def exact(number: float) -> Decimal:
    """The decimal that `number` is: a fraction as it is written, others to their last digit."""
    if isinstance(number, int) or abs(number) >= 2**53:
        return Decimal(number)
    return Decimal(repr(number))


def bounds(parts: Sequence[Part], integer: bool) -> tuple[Decimal, Decimal]:
    """The least and the largest number, both inclusive."""
    least, most = [-_LARGEST], [_LARGEST]
    for part in parts:
        if "minimum" in part:
            least.append(exact(part["minimum"]))
        if "maximum" in part:
            most.append(exact(part["maximum"]))
        if "exclusiveMinimum" in part:
            least.append(_beyond(part["exclusiveMinimum"], integer, 1))
        if "exclusiveMaximum" in part:
            most.append(_beyond(part["exclusiveMaximum"], integer, -1))
    return max(least), min(most)


def _beyond(bound: float, integer: bool, step: int) -> Decimal:
    """The first number above (1) or below (-1) `bound`."""
    value = exact(bound)
    if integer:
        floor = value.to_integral_value("ROUND_FLOOR" if step > 0 else "ROUND_CEILING")
        return EXACT.add(floor, step)
    if value == 0:
        return value  # zero itself is excluded elsewhere
    if isinstance(bound, int) and abs(bound) > 2**53:
        return EXACT.add(value, step)
    return exact(math.nextafter(float(bound), step * math.inf))


def _excludes_zero(parts: Sequence[Part]) -> bool:
    return any(part.get(key) == 0 for part in parts for key in _EXCLUSIVE)


_EXCLUSIVE = ("exclusiveMinimum", "exclusiveMaximum")


def _listed(parts: Sequence[Part], low: Decimal, high: Decimal, integer: bool) -> str | None:
    listed = [part["enum"] for part in parts if "enum" in part]
    sets = [{exact(value) for value in values} for values in listed]
    values = sorted(set.intersection(*sets))
    if values and max(map(abs, values)) > _LARGEST:
        raise InvalidSchema("A value is larger than what programs read as a number.")
    steps = [part["multipleOf"] for part in parts if "multipleOf" in part]
    branches = [
        _spelled(value, integer)
        for value in values
        if low <= value <= high
        and not (integer and value != value.to_integral_value())
        and all(EXACT.remainder(value, exact(step)) == 0 for step in steps)
    ]
    return either(branches) if branches else None


def _spelled(value: Decimal, integer: bool) -> str:
    """How `value` may be written: with zeros behind it, and with an exponent."""
    sign, digits, _ = value.as_tuple()
    plain = f"{abs(value):f}"
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    minus = "-" if sign else ""
    if abs(value) > 2**53 and Decimal(float(value)) != value:
        return f"{minus}{plain}"  # no double is this number
    if integer or not any(digits):
        zeros = "" if integer else r"(?:\.0{1,3})?"
        return f"{minus}{plain}{zeros}"
    zeros = "0{0,3}" if "." in plain else r"(?:\.0{1,3})?"
    mantissa = "".join(map(str, digits)).rstrip("0")
    point = rf"{mantissa[0]}\.{mantissa[1:]}" if len(mantissa) > 1 else mantissa
    power = value.adjusted()
    plain = plain.replace(".", r"\.")
    return rf"{minus}(?:{plain}{zeros}|{point}{_exponent(power, power)})"


def _magnitudes(least: Decimal, most: Decimal, zero: bool, integer: bool) -> Iterator[str]:
    """The numbers from `least` to `most`, both at least 0; `zero`: 0 is one of them."""
    plain_least = least if zero or least > 0 or integer else _UNIT
    longest = most if least > _LONGEST else min(most, _LONGEST)
    if integer:
        up, down = plain_least.to_integral_value("ROUND_CEILING"), _floor(longest)
        found = integers(int(up), int(down))
        if found is not None:
            yield found
        if most >= _NO_EXPONENT_BELOW:
            yield from _with_exponents(least, most, False)
        return
    parts_up_to = longest if longest < most or longest <= _WHOLE_DOUBLES else _WHOLE_DOUBLES
    if plain_least <= _WHOLE_DOUBLES and (found := decimals(plain_least, parts_up_to)) is not None:
        yield found
        plain_least = EXACT.add(parts_up_to, 1)
    up = plain_least.to_integral_value("ROUND_CEILING")
    if (found := integers(int(up), int(_floor(longest)))) is not None:
        yield found
    yield from _with_exponents(least, most, True)
    if zero and most > 0:
        highest = _exponent(_SMALLEST_EXPONENT + MOST_FRACTION_DIGITS, most.adjusted())
        yield rf"0(?:\.[0-9]{{1,{MOST_FRACTION_DIGITS}}})?{highest}" if highest else "0"


def _floor(value: Decimal) -> Decimal:
    return value.to_integral_value("ROUND_FLOOR")


def _with_exponents(least: Decimal, most: Decimal, fractions: bool) -> Iterator[str]:
    """Numbers above 0 from `least` to `most`, written with an exponent."""
    if most <= 0:
        return
    least, most = _as_read(least, 1), _as_read(most, -1)
    lowest = _SMALLEST_EXPONENT if fractions else 0
    for digits in range(1, _MOST_MANTISSA_DIGITS + 1):
        first, beyond = Decimal(10 ** (digits - 1)), Decimal(10**digits)
        from_ = _power_at_least(least) - (digits - 1) if least > 0 else lowest
        from_, to = max(from_, lowest), most.adjusted() - digits
        if from_ <= to:
            part = rf"(?:\.[0-9]{{1,{MOST_FRACTION_DIGITS}}})?" if fractions else ""
            more = f"[0-9]{{{digits - 1}}}" if digits > 1 else ""
            yield f"[1-9]{more}{part}{_exponent(from_, to)}"
        if most == _LARGEST_AS_READ and digits > 1:
            edges = {least.adjusted() - digits + 1} if least > 0 else set()
        else:
            edges = {value.adjusted() - digits + 1 for value in (least, most) if value > 0}
        last = beyond - (_UNIT if fractions else 1)
        for power in sorted(edges):
            if from_ <= power <= to or power < lowest:
                continue
            low = max(first, least.scaleb(-power, EXACT))
            high = min(EXACT.add(last, 0), most.scaleb(-power, EXACT))
            if low > high:
                continue
            if fractions:
                mantissa = decimals(low, high)
            else:
                up = low.to_integral_value("ROUND_CEILING")
                mantissa = integers(int(up), int(_floor(high)))
            if mantissa is not None:
                yield f"{mantissa}{_exponent(power, power)}"


def _as_read(bound: Decimal, inward: int) -> Decimal:
    """The outermost number within `bound` as programs write it that read it as a double."""
    double = float(bound)
    if (exact(double) - bound) * inward < 0:
        double = math.nextafter(double, inward * math.inf)
    return Decimal(repr(double))


def _power_at_least(value: Decimal) -> int:
    """The exponent of the first power of ten that is not below `value`."""
    power = value.adjusted()
    return power if value == Decimal(1).scaleb(power) else power + 1


def _exponent(least: int, most: int) -> str:
    """The exponents from `least` to `most`; empty if there are none."""
    branches = []
    if most >= 0:
        branches.append(rf"\+?0?{integers(max(least, 0), most)}")
    if least < 0 and (below := integers(max(-most, 1), -least)) is not None:
        branches.append(f"-0?{below}")
    return f"[eE]{either(branches)}" if branches else ""

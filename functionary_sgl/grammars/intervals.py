"""Regular expressions for the decimals of an interval, exact for numbers of any size."""

from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from functools import lru_cache

MOST_FRACTION_DIGITS = 20
"""As many as the shortest text of a double has, where it is written without an exponent."""

_EXACT = Context(prec=2_000)


def either(branches: list[str]) -> str:
    """One of `branches`, at least one."""
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"


@lru_cache(maxsize=1024)
def integers(least: int, most: int) -> str | None:
    """The integers from `least` to `most`, both at least 0, in digits; None if there are none."""
    if least > most:
        return None
    low, high = str(least), str(most)
    if len(low) == len(high):
        return either(list(_same_length(low, high)))
    branches = []
    if low in ("0", f"1{'0' * (len(low) - 1)}"):
        shortest = len(low)
        branches += ["0"] * (low == "0")
    else:
        branches += _same_length(low, "9" * len(low))
        shortest = len(low) + 1
    whole = high.strip("9") == ""
    longest = len(high) if whole else len(high) - 1
    if shortest <= longest:
        branches.append(f"[1-9]{_digits(shortest - 1, longest - 1)}")
    if not whole:
        branches += _same_length(f"1{'0' * (len(high) - 1)}", high)
    return either(branches)


@lru_cache(maxsize=1024)
def decimals(least: Decimal, most: Decimal) -> str | None:
    """The decimals from `least` to `most`, both at least 0, without an exponent and with no more
    than MOST_FRACTION_DIGITS behind the point; None if there are none."""
    unit = Decimal(1).scaleb(-MOST_FRACTION_DIGITS)
    low = least.quantize(unit, ROUND_CEILING, _EXACT)
    high = most.quantize(unit, ROUND_FLOOR, _EXACT)
    if low > high:
        return None
    low_whole, low_part = _parts(low)
    high_whole, high_part = _parts(high)
    if low_whole == high_whole:
        return f"{low_whole}{_between(low_part, high_part)}"
    branches = []
    if low_part:
        branches.append(rf"{low_whole}\.{_at_least(low_part, MOST_FRACTION_DIGITS)}")
        low_whole += 1
    last = high_whole
    if high_part.ljust(MOST_FRACTION_DIGITS, "0").strip("9"):
        branches.append(f"{high_whole}{_between('', high_part)}")
        last -= 1
    if (between := integers(low_whole, last)) is not None:
        branches.append(rf"{between}(?:\.{_digits(1, MOST_FRACTION_DIGITS)})?")
    return either(branches)


def _parts(value: Decimal) -> tuple[int, str]:
    whole, part = f"{value:f}".split(".")
    return int(whole), part.rstrip("0")


def _digits(least: int, most: int) -> str:
    if most == 0:
        return ""
    return f"[0-9]{{{least}}}" if least == most else f"[0-9]{{{least},{most}}}"


def _class(least: int, most: int) -> str:
    return str(least) if least == most else f"[{least}-{most}]"


def _same_length(low: str, high: str) -> Iterator[str]:
    """The digits from `low` to `high`, which are as long. The alternatives are not nested, since a
    number may have more digits than an expression may be deep."""
    if low == high:
        yield low
        return
    common = next(place for place, digit in enumerate(low) if digit != high[place])
    first, last = int(low[common]), int(high[common])
    least, most = low.rstrip("0"), high.rstrip("9")
    if len(least) > common + 1:
        for place in range(common + 1, len(least)):
            yield from _behind(low, place, int(low[place]) + (place < len(least) - 1), 9)
        first += 1
    if len(most) > common + 1:
        for place in range(common + 1, len(most)):
            yield from _behind(high, place, 0, int(high[place]) - (place < len(most) - 1))
        last -= 1
    yield from _behind(low, common, first, last)


def _behind(digits: str, place: int, least: int, most: int) -> Iterator[str]:
    """The numbers as long as `digits` that begin with what of these is before `place`, and go on
    with a digit from `least` to `most`."""
    if least <= most:
        rest = len(digits) - place - 1
        yield f"{digits[:place]}{_class(least, most)}{_digits(rest, rest)}"


def _between(low: str, high: str) -> str:
    """What stands behind the whole part: the fractions from `low` to `high`, whose zeros at the end
    are left out."""
    if not low:
        return rf"(?:\.{_at_most(high, MOST_FRACTION_DIGITS)})?"
    return rf"\.{_within(low, high, MOST_FRACTION_DIGITS)}"


def _within(low: str, high: str, room: int) -> str:
    """Fractions of at most `room` digits from `low`, which is not empty, to `high`."""
    first, last = int(low[0]), int(high[0])
    if first == last:
        if not low[1:]:
            return f"{first}(?:{_at_most(high[1:], room - 1)})?" if room > 1 else f"{first}"
        return f"{first}{_within(low[1:], high[1:], room - 1)}"
    branches = [f"{first}{_at_least(low[1:], room - 1)}"]
    if first + 1 < last:
        branches.append(f"{_class(first + 1, last - 1)}{_digits(0, room - 1)}")
    branches.append(f"{last}{_optional(_at_most(high[1:], room - 1))}")
    return either(branches)


def _at_least(low: str, room: int) -> str:
    """Fractions of at most `room` digits from `low` on."""
    if not low:
        return _digits(0, room)
    first = int(low[0])
    branches = [f"{first}{_at_least(low[1:], room - 1)}"]
    if first < 9:
        branches.append(f"{_class(first + 1, 9)}{_digits(0, room - 1)}")
    return either(branches)


def _at_most(high: str, room: int) -> str:
    """Fractions of 1 to `room` digits up to `high`; none at all (empty) if there is no room."""
    if not room:
        return ""
    if not high:
        return f"0{{1,{room}}}"
    last = int(high[0])
    branches = [f"{last}{_optional(_at_most(high[1:], room - 1))}"]
    if last:
        branches.append(f"{_class(0, last - 1)}{_digits(0, room - 1)}")
    return either(branches)


def _optional(pattern: str) -> str:
    return f"(?:{pattern})?" if pattern else ""

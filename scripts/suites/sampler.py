"""Draws instances of a JSON Schema, and spoils them."""

from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import from_regex

FORMATS = {
    "date-time": ["2026-11-27T11:00:00Z", "1999-12-31T23:59:59.5+01:00"],
    "date": ["2026-11-27", "2024-02-29"],
    "time": ["11:00:00Z", "23:59:59+01:00"],
    "duration": ["P3DT4H", "PT15M"],
    "email": ["ada@example.org"],
    "idn-email": ["zoë@example.org"],
    "hostname": ["example.org"],
    "ipv4": ["192.0.2.7"],
    "ipv6": ["2001:db8::7"],
    "uri": ["https://example.org/a?b=c#d"],
    "uri-reference": ["/a/b", "https://example.org"],
    "uuid": ["3b241101-e2bb-4255-8caf-4136c566a962"],
    "json-pointer": ["/a/0"],
    "regex": ["^a+$"],
    "int64": ["5"],
}
WORDS = ["Rome", "a", "", "São Paulo", "x-1", 'say "hi"', "a\\b", "line\nbreak", "日本語", "🙂"]
NUMBERS = [0, 1, -1, 7, 42, 3.5, -0.25, 1e-7, 123456789012345, 1e21]


class Sampler:
    """Draws instances of `root`; what it does not know of is left to the validators."""

    def __init__(self, root: dict[str, Any], seed: str) -> None:
        self._root = root
        self._random = Random(seed)

    def draw(self, schema: Any, depth: int = 0) -> Any:
        if schema is True or schema == {}:
            return self._random.choice([*WORDS, *NUMBERS, None, True, [], {}, {"k": [1]}])
        schema = self._merged(schema)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return self._random.choice(schema["enum"])
        types = schema.get("type") or self._guessed(schema)
        kind = self._random.choice(types) if isinstance(types, list) else types
        if schema.get("nullable") is True and self._random.random() < 0.2:
            return None
        draw = getattr(self, f"_{kind}", None)
        return draw(schema, depth) if draw else None

    def _guessed(self, schema: dict[str, Any]) -> str:
        if "items" in schema or "prefixItems" in schema:
            return "array"
        if "minimum" in schema or "maximum" in schema:
            return "number"
        about_objects = ("properties", "required", "additionalProperties", "patternProperties")
        return "object" if any(key in schema for key in about_objects) else "string"

    def _merged(self, schema: Any) -> dict[str, Any]:
        """`schema` with what it refers to, and a branch of what it chooses among."""
        found: dict[str, Any] = {}
        for _ in range(20):
            if not isinstance(schema, dict):
                break
            rest = {k: v for k, v in schema.items() if k not in ("$ref", "allOf", "anyOf", "oneOf")}
            found = _joined(found, rest)
            parts = [self._target(schema["$ref"])] if "$ref" in schema else []
            parts += schema.get("allOf", [])
            for key in ("anyOf", "oneOf"):
                parts += [self._random.choice(schema[key])] if schema.get(key) else []
            if not parts:
                break
            for part in parts[:-1]:
                found = _joined(found, self._merged(part))
            schema = parts[-1]
        return found

    def _target(self, ref: str) -> Any:
        target: Any = self._root
        for step in ref.removeprefix("#").split("/")[1:]:
            step = step.replace("~1", "/").replace("~0", "~")
            target = target[int(step) if isinstance(target, list) else step]
        return target

    def _null(self, schema: dict[str, Any], depth: int) -> None:
        return None

    def _boolean(self, schema: dict[str, Any], depth: int) -> bool:
        return self._random.random() < 0.5

    def _integer(self, schema: dict[str, Any], depth: int) -> int:
        low, high = _bounds(schema)
        step = schema.get("multipleOf", 1)
        step = int(step) if step >= 1 else 1
        if low is None and high is None:
            return int(self._random.choice([0, 1, -1, 7, 42, 10**6])) * step
        first = -(-low // step) if low is not None else high // step - 100
        last = high // step if high is not None else first + 100
        picked = self._random.choice([first, last, self._random.randint(int(first), int(last))])
        return int(picked) * step

    def _number(self, schema: dict[str, Any], depth: int) -> float | int:
        low, high = _bounds(schema)
        large = any(bound is not None and abs(bound) > 2**53 for bound in (low, high))
        if "multipleOf" in schema or (not large and self._random.random() < 0.3):
            return self._integer(schema, depth)
        if low is None and high is None:
            return self._random.choice(NUMBERS)
        low = low if low is not None else high - 10
        high = high if high is not None else low + 10
        return round(low + (high - low) * self._random.random(), 3)

    def _string(self, schema: dict[str, Any], depth: int) -> str:
        if schema.get("format") in FORMATS:
            return self._random.choice(FORMATS[schema["format"]])
        if "pattern" in schema:
            return _matching(schema["pattern"], self._random)
        text = self._random.choice(WORDS)
        while len(text) < schema.get("minLength", 0):
            text += text or "x"
        return text[: schema.get("maxLength")]

    def _array(self, schema: dict[str, Any], depth: int) -> list[Any]:
        first = schema.get("prefixItems", schema.get("items"))
        drawn = [self.draw(s, depth + 1) for s in first] if isinstance(first, list) else []
        rest = schema.get("items") if not isinstance(schema.get("items"), list) else None
        least = schema.get("minItems", 0)
        most = max(least, 0 if depth > 6 else self._random.choice([0, 1, 2]))
        while rest is not False and len(drawn) < min(most, schema.get("maxItems", most)):
            drawn.append(self.draw(rest if rest is not None else True, depth + 1))
        return drawn

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        share = self._random.choice([0, 0.3, 1]) if depth < 5 else 0
        listed, required = schema.get("properties", {}), schema.get("required", [])
        names = [n for n in listed if n in required or self._random.random() < share]
        names += [n for n in required if n not in listed]
        drawn = {n: self.draw(listed.get(n, True), depth + 1) for n in names}
        more = schema.get("additionalProperties", None if listed else True)
        if isinstance(more, dict) or (more is True and not schema.get("patternProperties")):
            for key in self._random.sample(["k", "other key", "é", "x-1"], k=2)[: round(share * 2)]:
                drawn.setdefault(key, self.draw(more, depth + 1))
        for pattern, below in schema.get("patternProperties", {}).items():
            if self._random.random() < share or not drawn:
                drawn.setdefault(_matching(pattern, self._random), self.draw(below, depth + 1))
        return drawn

    def spoiled(self, value: Any) -> Any:
        """`value` with one thing in it changed."""
        return _changed(value, self._random.choice(list(_places(value))), self._random)


def _joined(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    found = {**one, **other}
    for key in ("properties", "patternProperties"):
        if key in one and key in other:
            found[key] = {**one[key], **other[key]}
    if "required" in one and "required" in other:
        found["required"] = [*one["required"], *other["required"]]
    return found


def _bounds(schema: dict[str, Any]) -> tuple[Any, Any]:
    low, high = schema.get("minimum"), schema.get("maximum")
    over, under = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if over is not None:
        low = low + 1 if over is True else over + 1 if over is not False else low
    if under is not None:
        high = high - 1 if under is True else under - 1 if under is not False else high
    if low is not None and high is not None and low > high:  # between whole numbers
        low = high = (low + high) / 2
    return low, high


def _matching(pattern: str, random: Random) -> str:
    return random.choice(_examples(pattern))


@cache
def _examples(pattern: str) -> list[str]:
    found: list[str] = []

    @settings(max_examples=4, database=None, derandomize=True, suppress_health_check=HealthCheck)
    @given(from_regex(pattern))
    def draw(text: str) -> None:
        found.append(text)

    try:
        draw()
    except Exception:
        return ["x"]
    return [text.removesuffix("\n") for text in found]


def _places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    if isinstance(value, dict | list):
        for key, member in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _places(member, (*place, key))


def _changed(value: Any, place: tuple[Any, ...], random: Random) -> Any:
    if place:
        key, *rest = place
        changed = dict(value) if isinstance(value, dict) else list(value)
        if not rest and random.random() < 0.3:
            del changed[key]
        else:
            changed[key] = _changed(value[key], tuple(rest), random)
        return changed
    match value:
        case bool() | None:
            return random.choice(["yes", 0, {}, not value])
        case int() | float():
            others = [value + 1, value - 1, -value, value * 10**6, value + 0.5]
            return random.choice([*others, str(value), None])
        case str():
            return random.choice([value + "!", "", 5, None, [value], value * 40, value.swapcase()])
        case list():
            return random.choice([[], [*value, *value], {}, [*value, None], "x"])
    return random.choice([{**value, "unknown": 1}, {}, [value], "x"])

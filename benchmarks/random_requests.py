"""Random chat requests with tools, the same ones for the same seed.

Schemas are such that they can be enforced: every scalar type, enums, constants, bounds, patterns,
formats, nested objects with optional properties, arrays, unions. Names, descriptions and messages
are of many languages, and some contain what looks like a mark of a format.
"""

import json
from random import Random
from typing import Any

WORDS = [
    "city",
    "days",
    "größe",
    "名前",
    "url",
    "is_open",
    "Ort",
    "x",
    "naïve",
    "температура",
    "ids",
]
NAMES = ["get", "get_weather", "get_weather_forecast", "book-trip", "now", "f", "allow", "Search2"]
TEXTS = [
    "What is the weather in İstanbul?",
    "東京とソウルの天気を比べてください。",
    "Réserve un vol 🛫 pour Łódź, s'il te plaît.",
    "كم الساعة الآن؟",
    'Say ">>>all" and {"a": [1]} please.',
    "<|eot_id|>>>>now\n{}",
    "👩‍👩‍👧‍👦 plan\tsomething\nfor us",
    "Hi",
]
PATTERNS = [
    "^[a-z]{2,8}$",
    "^[A-Z]{3}-[0-9]{4}$",
    "^(\\+[0-9]{2} )?[0-9]{4,9}$",
    "^[äöü]+$",
    "[0-9]",
]
FORMATS = ["date", "uuid", "ipv4", "time", "date-time"]
CODE_INTERPRETER = {"type": "code_interpreter"}


def request(random: Random, model: str) -> dict[str, Any]:
    """The body of a chat request without `stream`, with a seed and temperature 1."""
    names = random.sample(NAMES, random.randint(1, 4))
    functions = [_function(random, name) for name in names]
    body: dict[str, Any] = {
        "model": model,
        "messages": _messages(random, names),
        "temperature": 1,
        "seed": random.randrange(2**31),
        # Most answers end before; some are cut in their middle.
        "max_tokens": random.randint(1, 60) if random.random() < 0.15 else 160,
    }
    if random.random() < 0.1:
        choices = ["auto", "none", {"name": random.choice(names)}]
        return body | {"functions": functions, "function_call": random.choice(choices)}
    body["tools"] = [{"type": "function", "function": function} for function in functions]
    if random.random() < 0.1:
        body["tools"].append(CODE_INTERPRETER)
    body["tool_choice"] = random.choices(
        ["auto", "required", {"type": "function", "function": {"name": names[0]}}, "none"],
        [40, 25, 20, 15],
    )[0]
    if (parallel := random.choice([True, False, None])) is not None:
        body["parallel_tool_calls"] = parallel
    return body


def _function(random: Random, name: str) -> dict[str, Any]:
    function = {"name": name, "description": f"{_text(random)} {name}"}
    # Half of all functions without parameters say so by leaving them out.
    if random.random() < 0.1:
        return function if random.random() < 0.5 else function | {"parameters": {"type": "object"}}
    parameters = _object(random, depth=0)
    # A format is enforced where a function is strict.
    strict = {"strict": True} if '"format"' in json.dumps(parameters) else {}
    return function | {"parameters": parameters} | strict


def _messages(random: Random, names: list[str]) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    if random.random() < 0.3:
        messages.append({"role": "system", "content": _text(random)})
    if random.random() < 0.3:
        arguments = json.dumps({_text(random): _text(random)}, ensure_ascii=random.random() < 0.5)
        called = {"name": random.choice(names), "arguments": arguments}
        call = {"id": "call_1", "type": "function", "function": called}
        messages += [
            {"role": "user", "content": _text(random)},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": _text(random)},
        ]
    if random.random() < 0.3:
        parts = [{"type": "text", "text": _text(random)} for _ in range(2)]
        return [*messages, {"role": "user", "content": parts}]
    return [*messages, {"role": "user", "content": _text(random)}]


def _text(random: Random) -> str:
    return random.choice(TEXTS)


def _schema(random: Random, depth: int) -> dict[str, Any]:
    makers = [_string, _string, _integer, _number, _scalar, _choice]
    if depth < 3:
        makers += [_object, _array, _union]
    schema = random.choice(makers)(random, depth)
    return schema | {"description": _text(random)} if random.random() < 0.3 else schema


def _object(random: Random, depth: int) -> dict[str, Any]:
    names = random.sample(WORDS, random.randint(1, 3))
    properties = {name: _schema(random, depth + 1) for name in names}
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    if required := [name for name in names if random.random() < 0.6]:
        schema["required"] = required
    if random.random() < 0.3:
        schema["additionalProperties"] = False
    return schema


def _array(random: Random, depth: int) -> dict[str, Any]:
    least = random.randint(0, 2)
    bounds = {"minItems": least, "maxItems": least + random.randint(0, 3)}
    return {"type": "array", "items": _schema(random, depth + 1), **bounds}


def _union(random: Random, depth: int) -> dict[str, Any]:
    if random.random() < 0.3:
        return {"type": [random.choice(["string", "integer", "boolean"]), "null"]}
    return {"anyOf": [_schema(random, depth + 1) for _ in range(random.randint(2, 3))]}


def _string(random: Random, depth: int) -> dict[str, Any]:
    least = random.randint(0, 6)
    kinds: list[dict[str, Any]] = [
        {},
        {"maxLength": random.randint(1, 30)},
        {"minLength": least, "maxLength": least + random.randint(0, 20)},
        {"pattern": random.choice(PATTERNS)},
        {"format": random.choice(FORMATS)},
    ]
    return {"type": "string", **random.choice(kinds)}


def _integer(random: Random, depth: int) -> dict[str, Any]:
    least = random.randint(-1000, 1000)
    kinds: list[dict[str, Any]] = [
        {},
        {"minimum": least},
        {"exclusiveMaximum": least},
        {"minimum": least, "maximum": least + random.randint(0, 500)},
        {"multipleOf": random.randint(2, 9), "minimum": 0},
    ]
    return {"type": "integer", **random.choice(kinds)}


def _number(random: Random, depth: int) -> dict[str, Any]:
    least = round(random.uniform(-50, 50), 2)
    kinds: list[dict[str, Any]] = [
        {},
        {"exclusiveMinimum": least},
        {"minimum": least, "maximum": round(least + random.uniform(0.1, 9), 2)},
    ]
    return {"type": "number", **random.choice(kinds)}


def _scalar(random: Random, depth: int) -> dict[str, Any]:
    return {"type": random.choice(["boolean", "null"])}


def _choice(random: Random, depth: int) -> dict[str, Any]:
    if random.random() < 0.2:
        return {"const": random.choice([*WORDS, 3, None, True])}
    if random.random() < 0.3:
        return {"enum": random.sample([1, 2.5, "zwei", None, False, '"', "\n"], 3)}
    return {"type": "string", "enum": random.sample(WORDS, random.randint(1, 5))}

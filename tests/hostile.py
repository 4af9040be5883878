"""Schemas that are made to cost much, as text: some are too deep for `json`."""

import json
from typing import Any

STRING = {"type": "string"}


def _of(schema: Any) -> str:
    """Parameters with one required property of this schema."""
    return json.dumps({"type": "object", "properties": {"a": schema}, "required": ["a"]})


def _nested(depth: int) -> str:
    opening = '{"type": "object", "properties": {"a": '
    return opening * depth + '{"type": "string"}' + "}}" * depth


def _pattern(pattern: str) -> str:
    return _of({"type": "string", "pattern": pattern})


def _many_properties(count: int) -> str:
    one = {"type": "object", "properties": {"x": {"type": "integer"}}}
    return json.dumps(
        {"type": "object", "properties": {f"property_{i}": one for i in range(count)}}
    )


def _referring(count: int, level: Any, last: Any) -> str:
    """Definitions of which each is `level` of the next."""
    definitions = {f"d{i}": level({"$ref": f"#/$defs/d{i + 1}"}) for i in range(count)}
    root = {"type": "object", "properties": {"a": {"$ref": "#/$defs/d0"}}}
    return json.dumps(root | {"$defs": {**definitions, f"d{count}": last}})


def _choices(count: int, options: int) -> str:
    """All of many alternatives, which make `options` to the power of `count` together."""
    one = [{"properties": {f"p{i}": STRING}, "required": [f"p{i}"]} for i in range(options)]
    return _of({"allOf": [{"anyOf": one} for _ in range(count)]})


SCHEMAS = {
    "nested 60 deep": _nested(30),
    "nested 100 deep": _nested(50),
    "nested 1000 deep": _nested(500),
    "nested 20000 deep": _nested(10_000),
    "enum of 20,000": _of({"enum": [f"value {i}" for i in range(20_000)]}),
    "enum of 10,000 short": _of({"enum": [f"v{i}" for i in range(10_000)]}),
    "enum of 3,000 objects": _of({"enum": [{"a": i} for i in range(3_000)]}),
    "enum of long strings": _of({"enum": ["x" * 2_000 + str(i) for i in range(100)]}),
    "counted choice": _pattern("^b(c|d|e){1,2000}$"),
    "repeated repetition": _pattern("^(a+)+b(c|d|e){1,5000}$"),
    "nested counts": _pattern("^((((a{1,50}){1,50}){1,50}){1,50})$"),
    "backtracking": _pattern("^(a+)+$"),
    "backtracking with alternatives": _pattern("^(a|a)*(b|b)*(a|aa)+$"),
    "a million states": _pattern("^(a|b)*a(a|b){20}$"),
    "counted classes": _pattern("^(\\p{L}|\\p{N}){1,500}$"),
    "long classes": _pattern("^[\\w\\s]{1,5000}$"),
    "3,000 alternatives": _pattern("^(" + "ab|" * 3_000 + "c)$"),
    "30 patterns at once": _of(
        {"allOf": [{"type": "string", "pattern": f"w{i}"} for i in range(30)]}
    ),
    "patterns that exclude": _of(
        {"allOf": [{"type": "string", "pattern": f"(a|b)*{c}(a|b){{30}}"} for c in "abcdefgh"]}
    ),
    "500 pattern properties": json.dumps(
        {"type": "object", "patternProperties": {f"^p{i}_[a-z]+$": STRING for i in range(500)}}
    ),
    "30 pattern properties": json.dumps(
        {"type": "object", "patternProperties": {f"p{i}.*q{i}": STRING for i in range(30)}}
    ),
    "string of a million": _of({"type": "string", "minLength": 10**6, "maxLength": 10**9}),
    "list of a billion": _of({"type": "array", "items": STRING, "minItems": 10**9}),
    "1,000 properties": _many_properties(1_000),
    "90 kB of properties": _many_properties(1_200),
    "a long key": json.dumps({"type": "object", "properties": {"k" * 100_000: STRING}}),
    "2,000 required": json.dumps(
        {"type": "object", "anyOf": [{"required": [f"r{i}" for i in range(2_000)]}]}
    ),
    "2,000 alternatives": _of(
        {"anyOf": [{"type": "object", "properties": {f"k{i}": STRING}} for i in range(2_000)]}
    ),
    "all of many alternatives": _choices(10, 4),
    "recursive": json.dumps({"type": "object", "properties": {"a": {"$ref": "#"}}}),
    "recursive without end": json.dumps(
        {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}
    ),
    "recursive in place": json.dumps({"allOf": [{"$ref": "#"}]}),
    "recursive twice": json.dumps(
        {"$defs": {"x": {"anyOf": [{"$ref": "#/$defs/y"}, STRING]},
                   "y": {"anyOf": [{"$ref": "#/$defs/x"}, {"type": "integer"}]}},
         "properties": {"a": {"$ref": "#/$defs/x"}}}
    ),
    "references that double": _referring(30, lambda n: {"properties": {"a": n, "b": n}}, STRING),
    "references that double in place": _referring(20, lambda n: {"allOf": [n, n]}, STRING),
    "a chain of 3,000 references": _referring(3_000, lambda n: {"properties": {"x": n}}, STRING),
    "a chain in place": _referring(3_000, lambda n: {"allOf": [n]}, STRING),
    "a large multiple": _of({"type": "integer", "multipleOf": 999_999_937}),
    "a small multiple": _of({"type": "number", "multipleOf": 1e-9}),
    "numbers without end": _of({"type": "integer", "maximum": 10**400}),
    "remote": _of({"$ref": "http://127.0.0.1:9/schema.json"}),
    "a file": _of({"$ref": "file:///etc/passwd"}),
    "null characters": _of({"type": "string", "pattern": "a\x00b", "enum": ["\x00"]}),
    "a dialect of its own": json.dumps(
        {"$schema": "http://127.0.0.1:9/dialect", "$id": "http://127.0.0.1:9/",
         "properties": {"a": STRING}}
    ),
    "1 MB of text": _of({"type": "string", "description": "x" * 1_000_000}),
}  # fmt: skip


def body(schema: str, **fields: Any) -> bytes:
    """A chat request with a tool of these parameters."""
    rest = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], **fields}
    function = f'{{"name": "f", "parameters": {schema}}}'
    tools = f'[{{"type": "function", "function": {function}}}]'
    return f'{json.dumps(rest)[:-1]}, "tools": {tools}}}'.encode()

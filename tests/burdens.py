"""Schemas whose verdicts could depend on how busy the machine is, and what keeps it busy."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


def kubernetes_like(kinds: int = 12) -> str:
    """Of many formats and patterns, most of them more than once."""
    name = {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "maxLength": 253}
    quantity = {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^[0-9]+(m|Ki|Mi)?$"}]}
    definitions = {
        f"kind{number}": {
            "type": "object",
            "properties": {
                "name": name,
                "uid": {"type": "string", "format": "uuid"},
                "host": {"type": "string", "format": "hostname"},
                "address": {"anyOf": [{"format": "ipv4"}, {"format": "ipv6"}], "type": "string"},
                "link": {"type": "string", "format": "uri"},
                "creationTimestamp": {"type": "string", "format": "date-time"},
                "owner": {"type": "string", "format": "email"},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "limits": {"type": "object", "additionalProperties": quantity},
                "port": {"type": "integer", "minimum": number + 1, "maximum": 65535},
            },
            "required": ["name"],
        }
        for number in range(kinds)
    }
    properties = {kind: {"$ref": f"#/definitions/{kind}"} for kind in definitions}
    return json.dumps({"type": "object", "properties": properties, "definitions": definitions})


def two_dates() -> str:
    """An ordinary tool."""
    day = {"type": "string", "format": "date"}
    properties = {"from": day, "to": day, "room": {"type": "string"}}
    return json.dumps({"type": "object", "properties": properties, "required": ["from", "to"]})


def optional_letters(count: int) -> str:
    """A pattern whose first step costs more than `count` squared."""
    pattern = {"type": "string", "pattern": f"^{'(a?b?c?)?' * count}$"}
    return json.dumps({"type": "object", "properties": {"a": pattern}, "required": ["a"]})


def optional_properties(count: int, prefix: str = "p") -> str:
    """An object of `count` properties that may all be left out."""
    one: Any = {"type": "integer", "minimum": 1}
    properties = {f"{prefix}{number}": one for number in range(count)}
    return json.dumps({"type": "object", "properties": properties})


def objects(count: int) -> str:
    """An enum of `count` small objects."""
    values = [{"a": number} for number in range(count)]
    return json.dumps({"type": "object", "properties": {"a": {"enum": values}}, "required": ["a"]})


def alternatives(count: int, prefix: str = "p") -> str:
    """A value that takes one of `count` forms and one of `count` others, and so of all pairs."""

    def forms(letter: str) -> dict[str, Any]:
        names = [f"{prefix}{letter}{number}" for number in range(count)]
        one = {"type": "string"}
        return {"anyOf": [{"properties": {name: one}, "required": [name]} for name in names]}

    value = {"type": "object", "allOf": [forms("a"), forms("b")]}
    return json.dumps({"type": "object", "properties": {"v": value}, "required": ["v"]})


def boundary(made: Callable[[int], str], holds: Callable[[str], bool], most: int) -> int:
    """The largest count, below `most`, for which what is `made` of it holds."""
    least = 1
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (middle, most) if holds(made(middle)) else (least, middle)
    return least


_BURN = """
import os
parent = os.getppid()
while os.getppid() == parent:
    pass
"""


@contextmanager
def burning(processes: int) -> Iterator[None]:
    """So many others that take what processor time they can have, for as long as this one lives."""
    command = [sys.executable, "-c", _BURN]
    burners = [subprocess.Popen(command) for _ in range(processes)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()

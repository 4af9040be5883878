"""The suites: schemas of parameters, with arguments that satisfy them and arguments that do not.

Where they come from is said in `tests/data/promises/README.md`.
"""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[2] / "tests" / "data" / "promises"

DRAFTS = ("draft4", "draft7", "draft2020-12")

_ELSEWISE = {
    "draft4: optional/zeroTerminatedFloats",  # 1.0 is an integer since draft 6
    "draft7: optional/content",  # an annotation since 2019-09
    "draft2020-12: format",  # reads formats as annotations; optional/format asserts them
}
"""Files that read a keyword in another way than this server does, as the specification allows."""


@dataclass(frozen=True)
class Case:
    """A tool's parameters; the instances are of them. `draft` is that of a schema which does not
    name its own."""

    name: str
    parameters: dict[str, Any]
    valid: list[Any] = field(default_factory=list)
    invalid: list[Any] = field(default_factory=list)
    draft: str = "draft2020-12"


def lines(file: Path) -> list[Any]:
    """The values in a file of JSON lines, compressed or not."""
    data = file.read_bytes()
    text = (gzip.decompress(data) if file.suffix == ".gz" else data).decode()
    return [json.loads(line) for line in text.split("\n") if line]


def official(draft: str, at_root: bool) -> Iterator[Case]:
    """The JSON-Schema-Test-Suite's groups, each as the property `a` or as the parameters."""
    for group in lines(DATA / f"json-schema-test-suite-{draft}.jsonl.gz"):
        if f"{draft}: {group['file']}" in _ELSEWISE:
            continue
        name = f"{group['file']}: {group['description']}"
        tests = [(test["data"], test["valid"]) for test in group["tests"]]
        schema = group["schema"]
        if at_root:
            tests = [test for test in tests if isinstance(test[0], dict)]
            if not tests or not isinstance(schema, dict):
                continue
            parameters = schema
        else:
            tests = [({"a": data}, valid) for data, valid in tests]
            parameters = as_property(schema)
        valid = [data for data, is_valid in tests if is_valid]
        invalid = [data for data, is_valid in tests if not is_valid]
        yield Case(name, parameters, valid, invalid, draft)


def as_property(schema: Any) -> dict[str, Any]:
    """Parameters of which `schema`, so far a document of its own, is the only property."""
    return {
        "type": "object",
        "properties": {"a": moved(schema, "#/properties/a")},
        "required": ["a"],
        "additionalProperties": False,
    }


def _is_document(schema: dict[str, Any]) -> bool:
    """Whether references in `schema` are its own: it has a name, and not just within a document."""
    name = schema.get("$id", schema.get("id"))
    return isinstance(name, str) and not name.startswith("#")


def moved(schema: Any, place: str) -> Any:
    """`schema` with the references into its document going to `place` in another."""
    if isinstance(schema, list):
        return [moved(part, place) for part in schema]
    if not isinstance(schema, dict) or _is_document(schema):
        return schema
    found = {}
    for key, value in schema.items():
        if key == "$ref" and isinstance(value, str) and (value == "#" or value.startswith("#/")):
            found[key] = place + value[1:]
        else:
            found[key] = value if key in ("enum", "const") else moved(value, place)
    return found


def listed(name: str) -> Iterator[Case]:
    """The cases of a file of JSON lines, each of which is one."""
    for line in lines(DATA / name):
        yield Case(line["name"], line["parameters"], line["valid"], line["invalid"])


SUITES: dict[str, Callable[[], Iterator[Case]]] = {
    **{f"{draft}, as a property": partial(official, draft, False) for draft in DRAFTS},
    **{f"{draft}, as the root": partial(official, draft, True) for draft in DRAFTS},
    "BFCL": lambda: listed("bfcl.jsonl.gz"),
    "function calls, written": lambda: listed("functions.jsonl"),
    "function calls, generated": lambda: listed("generated.jsonl.gz"),
    "kinds of schemas": lambda: listed("kinds.jsonl"),
    "real schemas": lambda: listed("real.jsonl.gz"),
}
"""By name. A name in one suite stands for one case."""

FUNCTIONS = ("BFCL", "function calls, written", "function calls, generated")
"""Suites of function-call schemas."""

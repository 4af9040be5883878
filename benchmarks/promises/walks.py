"""Random walks over grammars: whatever they spell must be valid, and read the same everywhere."""

import json
import math
from dataclasses import dataclass, field
from random import Random
from typing import Any

import jsonschema
import jsonschema_rs
import orjson
from llguidance import LLMatcher

from benchmarks.promises.outcomes import TOKENIZER
from benchmarks.promises.places import plain
from benchmarks.promises.suites import Case
from functionary_sgl.chat.schema import Arguments
from functionary_sgl.engines.base import Constraint
from functionary_sgl.engines.grammar import grammar

WILD_BYTES = 60
"""So long a walk goes anywhere; then it takes what ends strings and brackets, if it may."""

MOST_BYTES = 600
"""A walk that has not ended here counts for nothing."""

# What a byte is like decides how often it comes: else texts were letters almost throughout.
_SORTS = (b'"', b"\\", b"0123456789", b"+-.eE", b"{}[],: ", b"u/bfnrt", bytes(range(128, 256)))
_ENDS = b'"]},: 0'


@dataclass
class Walks:
    """What `walk` did: texts, walks that did not end, and what is wrong with which text."""

    texts: int = 0
    unfinished: int = 0
    wrong: list[str] = field(default_factory=list)


def walk(case: Case, known: Arguments, times: int, random: Random, walks: Walks) -> None:
    """Walk `times` over the grammar of what is `known` of the arguments of `case`, of which
    nothing is unenforced; add to `walks`."""
    assert known.constraint is not None
    matcher = LLMatcher(
        TOKENIZER, grammar(Constraint("json_schema", known.constraint)), log_level=0
    )
    for _ in range(times):
        matcher.reset()
        text = spelled(matcher, random)
        if text is None:
            walks.unfinished += 1
            continue
        walks.texts += 1
        if (fault := _fault(case, known, text)) is not None:
            walks.wrong.append(f"{case.name}: {text}: {fault}")


def spelled(matcher: Any, random: Random) -> str | None:
    """A text on which `matcher`, which is at its start, can end; None where it goes on."""
    text = bytearray()
    while not matcher.is_stopped() and len(text) < MOST_BYTES:
        mask = matcher.compute_bitmask()
        allowed = [b for b in range(256) if mask[b >> 3] >> (b & 7) & 1]
        if matcher.is_accepting() and (not allowed or random.random() < 0.5):
            break
        byte = _chosen(bytes(allowed), len(text) > WILD_BYTES, random)
        matcher.consume_token(byte)
        text.append(byte)
    return text.decode() if matcher.is_accepting() or matcher.is_stopped() else None


def _chosen(allowed: bytes, ending: bool, random: Random) -> int:
    if ending and (ends := [byte for byte in _ENDS if byte in allowed]):
        return ends[0] if random.random() < 0.9 else random.choice(ends)
    sorts = [sort for kind in _SORTS if (sort := [b for b in allowed if b in kind])]
    return random.choice(random.choice([*sorts, allowed]))


def _fault(case: Case, known: Arguments, text: str) -> str | None:
    """What is wrong with the arguments `text` of a call, as its readers would see it."""
    try:
        value = json.loads(text, parse_constant=_refuse)
        orjson.loads(text)
    except ValueError as error:
        return f"no JSON: {error}"
    if not all(_finite(number) for number in _numbers(value)):
        return "a number that is not finite"
    if case.draft == "draft4":  # for which 1e3 is no integer, as it is for all since
        value = plain(value)
    schema = case.parameters if _standard(case.parameters) else json.loads(known.whole)
    if "$schema" not in schema and case.draft != "draft2020-12":
        schema = {"$schema": f"http://json-schema.org/draft-0{case.draft[-1]}/schema#", **schema}
    for validator in (_by_jsonschema_rs, _by_jsonschema):  # whose patterns are Python's
        try:
            return validator(schema, value)
        except Exception:  # of many kinds: it does not know what we do
            continue
    return _by_jsonschema(json.loads(known.whole), value)


def _standard(schema: dict[str, Any]) -> bool:
    """Whether `schema` is in no dialect of OpenAPI, which these validators do not speak."""
    text = json.dumps(schema)
    return not any(word in text for word in ('"nullable": true', 'Minimum": true'))


def _by_jsonschema(schema: dict[str, Any], value: Any) -> str | None:
    class_ = jsonschema.validators.validator_for(schema, jsonschema.Draft202012Validator)
    errors = class_(schema, format_checker=class_.FORMAT_CHECKER).iter_errors(value)
    return next((f"{error.json_path}: {error.message}" for error in errors), None)


def _by_jsonschema_rs(schema: dict[str, Any], value: Any) -> str | None:
    validator = jsonschema_rs.validator_for(schema, validate_formats=True, offline=True)
    return next((str(error.message) for error in validator.iter_errors(value)), None)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _numbers(value: Any) -> list[int | float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [number for member in value for number in _numbers(member)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []


def _finite(number: int | float) -> bool:
    """As a double, which is all that JavaScript has."""
    try:
        return math.isfinite(float(number))
    except OverflowError:
        return False

"""Instances for schemas: arguments that satisfy them, and arguments that nearly do.

    ... | python scripts/suites/instances.py > tests/data/promises/generated.jsonl

Reads JSON lines with `name` and `parameters`, and writes them as cases of a suite, each schema
once and without its descriptions. What a line has already in `valid` and `invalid` comes first.
Instances are drawn from the schema, without any grammar, and kept where two validators agree on
them. It needs jsonschema, jsonschema-rs and hypothesis.
"""

import json
import re
import sys
from typing import Any

import jsonschema
import jsonschema_rs
from sampler import Sampler

VALID, INVALID, TRIES = 5, 9, 60


def instances(parameters: dict[str, Any], seed: str) -> tuple[list[Any], list[Any]]:
    """Some that satisfy `parameters`, and some that do not."""
    sampler = Sampler(parameters, seed)
    judges = _validators(parameters)
    valid: list[Any] = []
    invalid: list[Any] = []
    for _ in range(TRIES):
        try:
            value = sampler.draw(parameters)
            drawn = [value, sampler.spoiled(value), sampler.spoiled(value)]
        except (KeyError, IndexError, TypeError, ValueError, OverflowError, RecursionError):
            continue
        for one in drawn:
            if not isinstance(one, dict):
                continue
            verdicts = [judge(one) for judge in judges]
            kept, most = (valid, VALID) if all(verdicts) else (invalid, INVALID)
            agreed = len(set(verdicts)) == 1 and len(json.dumps(one)) < 1_500
            if agreed and one not in kept and len(kept) < most:
                kept.append(one)
    return valid, invalid


def _validators(parameters: dict[str, Any]) -> list[Any]:
    schema = _with_null(parameters)
    class_ = jsonschema.validators.validator_for(schema, jsonschema.Draft202012Validator)
    try:
        class_.check_schema(schema)
    except jsonschema.SchemaError:  # OpenAPI 3.0 has bounds as draft 4
        class_, schema = jsonschema.Draft4Validator, {**schema, "$schema": _DRAFT_4}
    one = class_(schema, format_checker=class_.FORMAT_CHECKER)
    other = jsonschema_rs.validator_for(schema, validate_formats=True, offline=True)
    return [one.is_valid, other.is_valid]


_DRAFT_4 = "http://json-schema.org/draft-04/schema#"


def _with_null(schema: Any) -> Any:
    """`schema` with OpenAPI's `nullable` in the words of JSON Schema."""
    if isinstance(schema, list):
        return [_with_null(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {
        k: v if k in ("enum", "const", "default") else _with_null(v) for k, v in schema.items()
    }
    return {"anyOf": [found, {"type": "null"}]} if schema.get("nullable") is True else found


def case(line: dict[str, Any]) -> dict[str, Any]:
    """`line` with instances; only its own where these validators do not read the schema."""
    parameters = bare(line["parameters"])
    valid, invalid = list(line.get("valid", ())), list(line.get("invalid", ()))
    try:
        more = instances(parameters, line["name"])
    except (jsonschema.SchemaError, ValueError, RecursionError, re.error):
        more = [], []
    valid += [value for value in more[0] if value not in valid]
    invalid += [value for value in more[1] if value not in invalid]
    return {"name": line["name"], "parameters": parameters, "valid": valid, "invalid": invalid}


def bare(schema: Any) -> Any:
    """`schema` without its descriptions."""
    if isinstance(schema, list):
        return [bare(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: value if key in ("enum", "const", "default") else bare(value)
        for key, value in schema.items()
        if not (key in ("description", "markdownDescription") and isinstance(value, str))
    }


def main() -> None:
    seen = set()
    for text in sys.stdin:
        found = case(json.loads(text))
        schema = {k: v for k, v in found["parameters"].items() if k != "$schema"}
        if (key := json.dumps(schema)) not in seen:
            seen.add(key)
            print(json.dumps(found, ensure_ascii=False))


if __name__ == "__main__":
    main()

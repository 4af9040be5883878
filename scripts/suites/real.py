"""Print schemas that others publish as JSON lines of `name` and `parameters`, for `instances.py`.

    pip download --no-deps check-jsonschema==0.39.0 cfn-lint==1.58.0 kubernetes-validate==1.37.0 \\
        openapi-spec-validator==0.9.0
    python scripts/suites/real.py *.whl | python scripts/suites/instances.py

Of Kubernetes and CloudFormation, which have thousands, a sample. All are small enough for a tool.
"""

import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import PurePath
from random import Random
from typing import Any

from instances import bare

Named = tuple[str, dict[str, Any]]

KUBERNETES, CLOUDFORMATION, LARGEST = 80, 90, 120_000


def main(wheels: list[str]) -> None:
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as files:
            for name, schema in schemas(files):
                print(json.dumps({"name": name, "parameters": schema}, ensure_ascii=False))


def schemas(files: zipfile.ZipFile) -> Iterator[Named]:
    names = sorted(name for name in files.namelist() if name.endswith(".json"))
    for name in names:
        path = PurePath(name)
        if name.endswith("v1.37.0-local-strict/_definitions.json"):
            yield from Random(0).sample(kubernetes(json.loads(files.read(name))), KUBERNETES)
        elif "builtin_schemas/vendor" in name:
            yield from small(f"SchemaStore: {path.stem}", json.loads(files.read(name)))
        elif name.endswith("/schema.json") and "openapi_spec_validator" in name:
            yield from small(f"OpenAPI {path.parent.name}", json.loads(files.read(name)))
    resources = [name for name in names if "cfnlint/data/schemas/resources" in name]
    for name in Random(0).sample(resources, min(CLOUDFORMATION, len(resources))):
        schema = json.loads(files.read(name))
        yield from small(f"CloudFormation: {schema['typeName']}", schema)


def small(name: str, schema: Any) -> Iterator[Named]:
    if len(json.dumps(bare(schema))) < LARGEST:
        yield name, schema


def kubernetes(document: dict[str, Any]) -> list[Named]:
    """Each definition that is an object, with those that it needs."""
    definitions = {name: local(schema) for name, schema in document["$defs"].items()}
    found = []
    for name, schema in definitions.items():
        needed: dict[str, Any] = {}
        left = list(references(schema))
        while left:
            other = left.pop()
            if other not in needed:
                needed[other] = definitions[other]
                left += references(definitions[other])
        if "properties" in schema:
            found.append((f"Kubernetes: {name}", schema | ({"$defs": needed} if needed else {})))
    return found


def references(schema: Any) -> Iterator[str]:
    for key, value in schema.items() if isinstance(schema, dict) else enumerate(schema):
        if key == "$ref" and isinstance(value, str):
            yield value.removeprefix("#/$defs/")
        elif isinstance(value, dict | list):
            yield from references(value)


def local(schema: Any) -> Any:
    if isinstance(schema, list):
        return [local(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: "#/$defs/" + value.rpartition("/")[2]
        if key == "$ref" and isinstance(value, str)
        else local(value)
        for key, value in schema.items()
    }


if __name__ == "__main__":
    main(sys.argv[1:])

"""JSON Schemas of tools: local references, bounds, and the form that constrains arguments."""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from functionary_sgl.chat.tools import Tool
from functionary_sgl.errors import InvalidSchema

MAX_DEPTH = 64
MAX_NODES = 20_000

# How Functionary's models were trained to write JSON; llguidance reads this in a schema's root.
JSON_STYLE = {
    "x-guidance": {"item_separator": ", ", "key_separator": ": ", "whitespace_flexible": False}
}

NO_ARGUMENTS = json.dumps(
    {"type": "object", "properties": {}, "additionalProperties": False, **JSON_STYLE}
)

# Keywords by which an object without `properties` still takes arguments.
_OPEN = ("additionalProperties", "patternProperties", "$ref", "anyOf", "oneOf", "allOf", "enum")


@lru_cache(maxsize=1024)
def arguments_schema(tool: Tool) -> str:
    """The JSON Schema, as text, that the arguments of a call of `tool` must follow, in the white
    space that models are trained on.

    A function without parameters takes `{}` and nothing else; objects whose properties are listed
    take no others unless the schema says that they may. Raises InvalidSchema where the parameters
    are no schema of an object.
    """
    parameters = tool.parameters or {}
    if parameters.get("type", "object") != "object":
        raise InvalidSchema(
            f"Parameters of the function '{tool.name}' must have the type 'object', "
            f"not {json.dumps(parameters['type'])}.",
            param=f"{tool.path}.parameters",
        )
    if not (parameters.get("properties") or any(key in parameters for key in _OPEN)):
        return NO_ARGUMENTS
    return json.dumps(_closed({"type": "object", **parameters}) | JSON_STYLE, ensure_ascii=False)


def _closed(schema: Any) -> Any:
    """`schema` with `additionalProperties: false` where it lists properties and leaves that open.

    Not inside `allOf` and the like, whose members describe one object together, and not below
    `$defs`, to which they may refer.
    """
    if not isinstance(schema, dict):
        return schema
    closed = dict(schema)
    if isinstance(schema.get("properties"), dict):
        closed["properties"] = {k: _closed(v) for k, v in schema["properties"].items()}
        if not any(key in schema for key in _OPEN):
            closed["additionalProperties"] = False
    if "items" in schema:
        closed["items"] = _closed(schema["items"])
    return closed


def resolved(tool: Tool) -> dict[str, Any]:
    """The parameters of `tool` with every local `$ref` replaced by what it points at (keys beside
    a `$ref` are dropped); empty where there are none.

    Raises InvalidSchema for references that are remote, dangling or circular, and for schemas
    that are too deep or, expanded, too large.
    """
    parameters = tool.parameters or {}
    try:
        resolution: dict[str, Any] = _Resolver(parameters).expand(parameters, (), 0)
    except InvalidSchema as error:
        raise InvalidSchema(error.message, param=f"{tool.path}.parameters") from error
    return resolution


class _Resolver:
    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self._nodes = 0

    def expand(self, node: Any, open_refs: tuple[str, ...], depth: int) -> Any:
        self._nodes += 1
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            raise InvalidSchema(
                f"The schema is too large: at most {MAX_DEPTH} levels and {MAX_NODES} parts, "
                "references expanded."
            )
        if isinstance(node, list):
            return [self.expand(item, open_refs, depth + 1) for item in node]
        if not isinstance(node, dict):
            return node
        ref = node.get("$ref")
        if isinstance(ref, str):
            if ref in open_refs:
                raise InvalidSchema(f"The reference '{ref}' is circular; spell out its levels.")
            return self.expand(self._target(ref), (*open_refs, ref), depth + 1)
        return {key: self.expand(value, open_refs, depth + 1) for key, value in node.items()}

    def _target(self, ref: str) -> Any:
        if not ref.startswith("#"):
            raise InvalidSchema(f"The reference '{ref}' is not local; only '#/...' is resolved.")
        target: Any = self._root
        for step in _steps(ref):
            if isinstance(target, list) and step.isdecimal() and int(step) < len(target):
                target = target[int(step)]
            elif isinstance(target, dict) and step in target:
                target = target[step]
            else:
                raise InvalidSchema(f"The reference '{ref}' points at nothing.")
        return target


def _steps(ref: str) -> Iterator[str]:
    """The steps of a JSON pointer in a fragment (RFC 6901)."""
    for step in ref[1:].split("/")[1:]:
        yield step.replace("~1", "/").replace("~0", "~")

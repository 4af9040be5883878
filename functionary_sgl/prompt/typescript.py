"""Function definitions in the TypeScript-like form that Functionary models read.

The form, odd places included (a property without `type` prints nothing after its colon, a limit
of 0 alone prints no comment), is that of the prompts the checkpoints were trained on, as
MeetKai/functionary's templates print it; `tests/data/ts_schema.json` holds observed cases.
"""

from threading import Lock
from typing import Any

from cachetools import LRUCache, cached

from functionary_sgl.chat.schema import resolved
from functionary_sgl.chat.tools import Tool

HEADER = (
    "// Supported function definitions that should be called when necessary.\n"
    "namespace functions {\n\n"
)
FOOTER = "} // namespace functions"

CACHE_CHARACTERS = 8_000_000

_LIMITS = (
    ("maximum", "Maximum"),
    ("minimum", "Minimum"),
    ("maxLength", "Maximum length"),
    ("minLength", "Minimum length"),
)


def namespace(tools: tuple[Tool, ...]) -> str:
    """The whole block for `tools`, from its header to its footer.

    Raises InvalidSchema for references that cannot be resolved.
    """
    return HEADER + "".join(function(tool) + "\n\n" for tool in tools) + FOOTER


@cached(LRUCache(CACHE_CHARACTERS, getsizeof=len), lock=Lock())
def function(tool: Tool) -> str:
    """One function: a comment line and a `type`."""
    parameters = resolved(tool)
    properties = _properties(parameters, 0)
    signature = "(_: {" + properties + "\n})" if parameters.get("properties") else "()"
    return f"// {tool.description}\ntype {tool.name} = {signature} => any;"


def _properties(schema: dict[str, Any], depth: int) -> str:
    properties = schema.get("properties")
    required = schema.get("required", [])
    if not isinstance(properties, dict):
        return ""
    return "".join(
        _property(name, prop, _is_required(name, required), depth)
        for name, prop in properties.items()
        if isinstance(prop, dict)
    )


def _is_required(name: str, required: Any) -> bool:
    """Python's `in`, also for the shapes that are no lists; what cannot be searched has it all."""
    try:
        return name in required
    except TypeError:
        return True


def _property(name: str, schema: dict[str, Any], required: bool, depth: int) -> str:
    kind = _kind(schema)
    comment = _comment(schema)
    lines = [f"// {comment}"] if comment is not None else []
    examples = schema.get("examples")
    if isinstance(examples, list) and (comment is not None or _has_parts(schema, kind)):
        shown = (f"Example {name}:", *examples)
        lines += ["// " + str(example).replace("'", '"') for example in shown]
    lines.append(f"{name}{'' if required else '?'}: {_type(schema, kind, depth)},")
    indent = "\n" + "    " * depth
    return "".join(indent + line for line in lines)


def _has_parts(schema: dict[str, Any], kind: str) -> bool:
    """Whether it is an object, or an array of what has a type."""
    return kind == "object" or (kind == "array" and "type" in _items(schema))


def _comment(schema: dict[str, Any]) -> str | None:
    """Description, default, format and limits in one line; None where there is nothing to say."""
    spoken = any(key in schema for key in ("description", "default", "format"))
    alternatives = "type" not in schema and "oneOf" in schema
    if not (spoken or alternatives or any(schema.get(key) for key, _ in _LIMITS)):
        return None
    parts = []
    if "description" in schema:
        text = str(schema["description"])
        parts.append(text if text.endswith(".") else text + ".")
    if "default" in schema:
        quote = '"' if schema.get("type") == "string" else ""
        parts.append(f"Default={quote}{schema['default']}{quote}.")
    if "format" in schema:
        parts.append(f"Format={schema['format']}")
    elif "oneOf" in schema:
        parts.append("Format=" + _formats(schema))
    parts += [f"{label}={schema[key]}" for key, label in _LIMITS if key in schema]
    return " ".join(parts)


def _formats(schema: dict[str, Any]) -> str:
    formats = [alternative.get("format") for alternative in _alternatives(schema)]
    return "".join(str(f) if f == formats[-1] else f"{f} or " for f in formats if f is not None)


def _kind(schema: dict[str, Any]) -> str:
    """The `type` as it is printed, several of them joined; without one, the types of `oneOf`."""
    if "type" in schema:
        given = schema["type"]
        kinds = given if isinstance(given, list) else [given]
    else:
        kinds = [a["type"] for a in _alternatives(schema) if "type" in a]
        kinds = [kind for index, kind in enumerate(kinds) if kind not in kinds[:index]]
    text = " | ".join(str(kind) for kind in kinds)
    return "number" if text in ("integer", "float") else text


def _type(schema: dict[str, Any], kind: str, depth: int) -> str:
    if kind == "object":
        return _object(schema, depth)
    if kind == "array":
        return _array(schema, depth) if "type" in _items(schema) else "[]"
    text = _enum(_list(schema, "enum")) if "enum" in schema else kind
    return text + " | null" if schema.get("nullable") else text


def _object(schema: dict[str, Any], depth: int) -> str:
    return "{" + _properties(schema, depth + 1) + "\n" + "    " * depth + "}"


def _array(schema: dict[str, Any], depth: int) -> str:
    items = _items(schema)
    kind = _kind(items)
    if kind == "object":
        return _object(items, depth) + "[]"
    if kind == "array":
        return _array(items, depth + 1) + "[]"
    return (f"({_enum(_list(items, 'enum'))})" if "enum" in items else kind) + "[]"


def _items(schema: dict[str, Any]) -> dict[str, Any]:
    items = schema.get("items")
    return items if isinstance(items, dict) else {}


def _enum(values: list[Any]) -> str:
    """The values joined by ` | `, with no separator after one that equals the last."""
    return "".join(
        (f'"{value}"' if isinstance(value, str) else str(value))
        + ("" if value == values[-1] else " | ")
        for value in values
    )


def _list(schema: dict[str, Any], key: str) -> list[Any]:
    """The list under `key`; empty for anything else, which is no valid schema but must not fail."""
    value = schema.get(key)
    return value if isinstance(value, list) else []


def _alternatives(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [member for member in _list(schema, "oneOf") if isinstance(member, dict)]

"""`response_format`: answers in text that have to be JSON."""

import json
from typing import Any

from functionary_sgl.chat.schema import with_parameters
from functionary_sgl.chat.tools import Tool
from functionary_sgl.errors import RequestError

PARAM = "response_format"


def answer(asked: dict[str, Any] | None) -> Tool | None:
    """What text must be, as a function of which it would be the arguments; None: any text.

    Raises RequestError for a format that is none of OpenAI's.
    """
    kind = (asked or {}).get("type", "text")
    if asked is None or kind == "text":
        return None
    if kind == "json_object":
        anything = json.dumps({"type": "object", "additionalProperties": True})
        return Tool("json_object", parameters_json=anything, path=PARAM)
    if kind != "json_schema":
        raise RequestError(
            f"Invalid value: '{kind}'. Supported values are: 'text', 'json_object', and "
            "'json_schema'.",
            param=f"{PARAM}.type",
        )
    return _by_schema(asked.get("json_schema"))


def _by_schema(described: Any) -> Tool:
    schema = described.get("schema") if isinstance(described, dict) else None
    if not isinstance(schema, dict):
        raise RequestError(
            "'json_schema' needs a 'schema', the JSON Schema of an object.",
            param=f"{PARAM}.json_schema.schema",
        )
    tool = Tool(
        str(described.get("name", "answer")),
        strict=described.get("strict") is True,
        path=f"{PARAM}.json_schema",
        key="schema",
    )
    return with_parameters(tool, schema)

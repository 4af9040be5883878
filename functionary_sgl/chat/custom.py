"""Custom tools: called with a text, not with arguments.

A model sees one as a function of a single string, and writes its calls so.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functionary_sgl.chat.forms import Form, TextAnswer
from functionary_sgl.chat.schema import JSON_STYLE
from functionary_sgl.chat.tools import Tool

STRING: Mapping[str, Any] = {"type": "string", **JSON_STYLE}
"""The JSON Schema of an input, in every spelling that JSON has for it."""

ANY_INPUT = Form("json_schema", json.dumps(STRING))
"""The form, in JSON, of the input of a tool that takes any text."""


@dataclass(frozen=True, slots=True)
class CustomTool(Tool):
    """A tool that takes a text; `grammar`: what that must be, None: any."""

    grammar: TextAnswer | None = None


def custom_tool(name: str, description: str, grammar: TextAnswer | None, path: str) -> CustomTool:
    """The tool of this name, which the request has at `path`."""
    told = {"type": "string"}
    if grammar is not None:
        kind = "regular expression" if grammar.kind == "regex" else "grammar"
        told["description"] = f"Text that follows this {kind}:\n{grammar.source}"
    parameters = {"type": "object", "properties": {"input": told}, "required": ["input"]}
    return CustomTool(name, description, json.dumps(parameters), path=path, grammar=grammar)


def arguments_of(text: str) -> str:
    """The arguments of a call with the input `text`, as the model is shown them."""
    return json.dumps({"input": text}, ensure_ascii=False)

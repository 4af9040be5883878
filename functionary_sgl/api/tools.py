"""Tools as OpenAI's APIs describe them, and what they are to a Conversation."""

from collections.abc import Collection
from typing import Annotated, Any, Literal

from pydantic import Field

from functionary_sgl.api.bodies import Body, of_known_type
from functionary_sgl.chat.custom import custom_tool
from functionary_sgl.chat.forms import TextAnswer
from functionary_sgl.chat.schema import with_parameters
from functionary_sgl.chat.tools import NAME_PATTERN, Tool
from functionary_sgl.errors import RequestError

FunctionName = Annotated[str, Field(pattern=f"^{NAME_PATTERN}$")]


class FunctionDefinition(Body):
    """A function on offer; `parameters` is a JSON Schema."""

    name: FunctionName
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class FlatFunctionTool(FunctionDefinition):
    """A function as a tool of OpenAI's Responses: its fields beside the type."""

    type: Literal["function"]


class CustomGrammar(Body):
    """What the input of a custom tool must follow."""

    definition: str
    syntax: Literal["lark", "regex"]


class CustomFormat(Body):
    """Any text, or what follows a grammar, whose fields may also stand beside the type."""

    type: Literal["text", "grammar"] = "text"
    grammar: CustomGrammar | None = None
    definition: str | None = None
    syntax: Literal["lark", "regex"] | None = None


class CustomDefinition(Body):
    """A tool that is called with a text."""

    name: FunctionName
    description: str | None = None
    format: CustomFormat | None = None


class FlatCustomTool(CustomDefinition):
    """A custom tool in the words of OpenAI's Responses."""

    type: Literal["custom"]


def of_a_kind(value: Any, kinds: Collection[str], named: str) -> Any:
    """`value` unless it is a tool of none of these `kinds`, which are `named` in the error: hosted
    ones are of OpenAI's servers only. For pydantic."""
    told = "Tools of the type '{kind}' are not hosted here; offer one of the type {named}"
    return of_known_type(value, kinds, "tool_type", told, named=named)


def function(definition: FunctionDefinition, path: str) -> Tool:
    """The function that the request has at `path`; RequestError for numbers that are no JSON."""
    given = definition
    tool = Tool(given.name, given.description or "", "null", bool(given.strict), path)
    return tool if given.parameters is None else with_parameters(tool, given.parameters)


def custom(definition: CustomDefinition, path: str) -> Tool:
    """The custom tool that the request has at `path`; RequestError for half a grammar."""
    grammar = _grammar(definition.format, path)
    return custom_tool(definition.name, definition.description or "", grammar, path)


def _grammar(format: CustomFormat | None, path: str) -> TextAnswer | None:
    if format is None or format.type == "text":
        return None
    given, place = format.grammar or format, f"{path}.format"
    if given.definition is None or given.syntax is None:
        raise RequestError(
            "A grammar needs a 'definition' and a 'syntax'.", param=f"{place}.grammar"
        )
    place += ".grammar.definition" if format.grammar else ".definition"
    return TextAnswer("regex" if given.syntax == "regex" else "grammar", given.definition, place)

"""The tools of a chat request, as OpenAI's API reference describes them."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

from functionary_sgl.api.bodies import Body
from functionary_sgl.chat.tools import NAME_PATTERN

FunctionName = Annotated[str, Field(pattern=f"^{NAME_PATTERN}$")]


class FunctionDefinition(Body):
    """A function on offer; `parameters` is a JSON Schema."""

    name: FunctionName
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class FunctionTool(Body):
    """A function as a tool."""

    type: Literal["function"]
    function: FunctionDefinition


class FlatFunctionTool(FunctionDefinition):
    """The same as OpenAI's Responses have it: its fields beside the type."""

    type: Literal["function"]


class CodeInterpreterTool(Body):
    """Functionary's own kind of tool: the model may write Python code."""

    type: Literal["code_interpreter"]


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


class CustomRequestTool(Body):
    """A custom tool as a tool."""

    type: Literal["custom"]
    custom: CustomDefinition


class FlatCustomTool(CustomDefinition):
    """The same in the words of OpenAI's Responses."""

    type: Literal["custom"]


def _known_type(value: Any) -> Any:
    """`value` if it is a tool of a kind that there is; hosted ones are of OpenAI's servers only."""
    kind = value.get("type") if isinstance(value, dict) else None
    if isinstance(kind, str) and kind not in _KINDS:
        raise PydanticCustomError(
            "tool_type",
            "Tools of the type '{kind}' are not hosted here; offer one of the type 'function', "
            "'custom' or 'code_interpreter'",
            {"kind": kind[:64]},
        )
    return value


_KINDS = ("function", "custom", "code_interpreter")


def _tool_tag(value: Any) -> str | None:
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    if kind in ("function", "custom") and isinstance(value, dict) and "name" in value:
        return f"~{kind}" if kind in value else f"~flat_{kind}"
    return f"~{kind}" if kind in _KINDS else None


AnyTool = Annotated[
    Annotated[FunctionTool, Tag("~function")]
    | Annotated[FlatFunctionTool, Tag("~flat_function")]
    | Annotated[CustomRequestTool, Tag("~custom")]
    | Annotated[FlatCustomTool, Tag("~flat_custom")]
    | Annotated[CodeInterpreterTool, Tag("~code_interpreter")],
    Discriminator(
        _tool_tag,
        custom_error_type="tool_type",
        custom_error_message="A tool has the type 'function', 'custom' or 'code_interpreter'",
    ),
    BeforeValidator(_known_type),
]

"""The tools of a chat request, as OpenAI's API reference describes them."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Tag

from functionary_sgl.api.bodies import Body, type_of
from functionary_sgl.api.tools import (
    CustomDefinition,
    FlatCustomTool,
    FlatFunctionTool,
    FunctionDefinition,
    of_a_kind,
)


class FunctionTool(Body):
    """A function as a tool."""

    type: Literal["function"]
    function: FunctionDefinition


class CodeInterpreterTool(Body):
    """Functionary's own kind of tool: the model may write Python code."""

    type: Literal["code_interpreter"]


class CustomRequestTool(Body):
    """A custom tool as a tool."""

    type: Literal["custom"]
    custom: CustomDefinition


_KINDS = ("function", "custom", "code_interpreter")


def _known_type(value: Any) -> Any:
    return of_a_kind(value, _KINDS, "'function', 'custom' or 'code_interpreter'")


def _tool_tag(value: Any) -> str | None:
    kind = type_of(value)
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

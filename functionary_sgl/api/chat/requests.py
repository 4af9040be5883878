"""The body of POST /v1/chat/completions, as OpenAI's API reference describes it."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

from functionary_sgl.api.bodies import Body
from functionary_sgl.api.chat.extensions import Extensions
from functionary_sgl.api.limits import (
    MAX_BIASES,
    MAX_CALLS,
    MAX_CHOICES,
    MAX_MESSAGES,
    MAX_METADATA,
    MAX_PARTS,
    MAX_SALT_LENGTH,
    MAX_STOP_LENGTH,
    MAX_STOPS,
    MAX_TOKENS,
    MAX_TOOLS,
)
from functionary_sgl.chat.tools import NAME_PATTERN

Bias = Annotated[float, Field(ge=-100, le=100)]
FunctionName = Annotated[str, Field(pattern=f"^{NAME_PATTERN}$")]


class ImageURL(Body):
    """Where an image is, or a `data:` URL that holds it."""

    url: str


def _text_or_list(value: Any) -> str:
    return "~list" if isinstance(value, list) else "~text"


def _text_or_number(value: Any) -> str:
    return "~number" if type(value) in (int, float) else "~text"


class ReasonedText(Body):
    """A piece of reasoning, as Mistral's and OpenAI's parts have them."""

    text: str


Thinking = Annotated[
    Annotated[str, Tag("~text")]
    | Annotated[list[ReasonedText], Field(max_length=MAX_PARTS), Tag("~list")],
    Discriminator(_text_or_list),
]


class ContentPart(Body):
    """`text` is there for parts of type `text`, `image_url` for those of that type, and so on;
    parts of the types `thinking` and `reasoning` have one of `thinking`, `reasoning`, `summary`
    and `text`."""

    type: str
    text: str | None = None
    refusal: str | None = None
    thinking: Thinking | None = None
    reasoning: Thinking | None = None
    summary: Thinking | None = None
    image_url: ImageURL | None = None


Content = Annotated[
    Annotated[str, Tag("~text")]
    | Annotated[list[ContentPart], Field(max_length=MAX_PARTS), Tag("~list")],
    Discriminator(_text_or_list),
]
StopText = Annotated[str, Field(max_length=MAX_STOP_LENGTH)]
Stop = Annotated[
    Annotated[StopText, Tag("~text")]
    | Annotated[list[StopText], Field(max_length=MAX_STOPS), Tag("~list")],
    Discriminator(_text_or_list),
]


class FunctionCall(Body):
    """A call in the history, its arguments as the model wrote them, or parsed."""

    name: str
    arguments: str | dict[str, Any] | None = None


class ToolCall(Body):
    """A call in the history, with the id that its result refers to."""

    id: str | None = None
    type: Literal["function"] = "function"
    function: FunctionCall


class CustomCall(Body):
    """What a custom tool was called with."""

    name: str
    input: str


class CustomToolCall(Body):
    """A call of a custom tool in the history."""

    id: str | None = None
    type: Literal["custom"]
    custom: CustomCall


def _call_tag(value: Any) -> str:
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return "~custom" if kind == "custom" else "~function"


AnyCall = Annotated[
    Annotated[ToolCall, Tag("~function")] | Annotated[CustomToolCall, Tag("~custom")],
    Discriminator(_call_tag),
]


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


class ChatMessage(Body):
    """A message of any role; which fields count depends on it."""

    role: Annotated[
        Literal["system", "developer", "user", "assistant", "tool", "function"],
        BeforeValidator(_lower),
    ]
    content: Content | None = None
    name: str | None = None
    tool_calls: Annotated[list[AnyCall], Field(max_length=MAX_CALLS)] | None = None
    tool_call_id: str | None = None
    function_call: FunctionCall | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None


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


class StreamOptions(Body):
    """Options for `stream: true`."""

    include_usage: bool = False


Effort = Annotated[
    Annotated[
        Literal["none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra"], Tag("~text")
    ]
    | Annotated[float, Field(ge=0, le=1), Tag("~number")],
    Discriminator(_text_or_number),
]
TokenLimit = Annotated[int, Field(ge=1)]


class ChatTemplateOptions(Body):
    """Variables for the chat template; vLLM's and SGLang's clients switch reasoning by them."""

    enable_thinking: bool | None = None
    thinking: bool | None = None


class ChatRequest(Extensions):
    """A chat request. `user`, `metadata`, `store` and `service_tier` are accepted and mean nothing
    here. `model` may be left out where there is one."""

    model: str | None = None
    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=MAX_MESSAGES)]
    tools: Annotated[list[AnyTool], Field(max_length=MAX_TOOLS)] | None = None
    tool_choice: Any = None
    parallel_tool_calls: bool | None = None
    functions: Annotated[list[FunctionDefinition], Field(max_length=MAX_TOOLS)] | None = None
    function_call: Any = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: TokenLimit | None = None
    max_completion_tokens: TokenLimit | None = None
    n: Annotated[int, Field(ge=1, le=MAX_CHOICES)] | None = None
    stop: Stop | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=-1, le=MAX_TOKENS)] | None = None
    min_p: Annotated[float, Field(ge=0, le=1)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    repetition_penalty: Annotated[float, Field(gt=0, le=2)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), le=2**63 - 1)] | None = None
    logit_bias: Annotated[dict[int, Bias], Field(max_length=MAX_BIASES)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    response_format: dict[str, Any] | None = None
    reasoning_effort: Effort | None = None
    chat_template_kwargs: ChatTemplateOptions | None = None
    cache_salt: Annotated[str, Field(min_length=1, max_length=MAX_SALT_LENGTH)] | None = None
    user: str | None = None
    metadata: Annotated[dict[str, Any], Field(max_length=MAX_METADATA)] | None = None
    store: bool | None = None
    service_tier: str | None = None

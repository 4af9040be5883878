"""The body of POST /v1/chat/completions, as OpenAI's API reference describes it."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from functionary_sgl.api.bodies import Body, type_of
from functionary_sgl.api.chat.extensions import Extensions
from functionary_sgl.api.chat.tools import AnyTool
from functionary_sgl.api.chunk_streams import StreamOptions
from functionary_sgl.api.limits import (
    MAX_CALLS,
    MAX_CHOICES,
    MAX_MESSAGES,
    MAX_METADATA,
    MAX_PARTS,
    MAX_SALT_LENGTH,
    MAX_TOOLS,
)
from functionary_sgl.api.rendering import TemplateFields
from functionary_sgl.api.sampling import SamplingFields, TokenLimit, text_or_list
from functionary_sgl.api.tools import FunctionDefinition


class ImageURL(Body):
    """Where an image is, or a `data:` URL that holds it."""

    url: str


def _text_or_number(value: Any) -> str:
    return "~number" if type(value) in (int, float) else "~text"


class ReasonedText(Body):
    """A piece of reasoning, as Mistral's and OpenAI's parts have them."""

    text: str


Thinking = Annotated[
    Annotated[str, Tag("~text")]
    | Annotated[list[ReasonedText], Field(max_length=MAX_PARTS), Tag("~list")],
    Discriminator(text_or_list),
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
    Discriminator(text_or_list),
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
    return "~custom" if type_of(value) == "custom" else "~function"


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


Effort = Annotated[
    Annotated[
        Literal["none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra"], Tag("~text")
    ]
    | Annotated[float, Field(ge=0, le=1), Tag("~number")],
    Discriminator(_text_or_number),
]


class ChatRequest(SamplingFields, TemplateFields, Extensions):
    """A chat request. `user`, `metadata`, `store` and `service_tier` are accepted and mean nothing
    here. `model` may be left out where there is one. `return_turn`: the answer comes with the turn
    as its program sees it (`turn_view.py`)."""

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
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    response_format: dict[str, Any] | None = None
    reasoning_effort: Effort | None = None
    cache_salt: Annotated[str, Field(min_length=1, max_length=MAX_SALT_LENGTH)] | None = None
    return_turn: bool | None = None
    user: str | None = None
    metadata: Annotated[dict[str, Any], Field(max_length=MAX_METADATA)] | None = None
    store: bool | None = None
    service_tier: str | None = None

"""The body of POST /v1/responses, as OpenAI's API reference describes it."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from functionary_sgl.api.bodies import Body, tags_of
from functionary_sgl.api.limits import (
    MAX_INCLUDED,
    MAX_ITEM_ID,
    MAX_ITEMS,
    MAX_METADATA,
    MAX_METADATA_KEY,
    MAX_METADATA_VALUE,
    MAX_SALT_LENGTH,
    MAX_TOOLS,
)
from functionary_sgl.api.rendering import TemplateFields
from functionary_sgl.api.responses.items import AnyItem, MessageItem
from functionary_sgl.api.sampling import SamplingFields, TokenLimit, text_or_list
from functionary_sgl.api.tools import FlatCustomTool, FlatFunctionTool, of_a_kind

_KINDS = ("function", "custom")


def _known_type(value: Any) -> Any:
    return of_a_kind(value, _KINDS, "'function' or 'custom'")


RequestTool = Annotated[
    Annotated[FlatFunctionTool, Tag("~function")] | Annotated[FlatCustomTool, Tag("~custom")],
    Discriminator(
        tags_of(_KINDS),
        custom_error_type="tool_type",
        custom_error_message="A tool has the type 'function' or 'custom'",
    ),
    BeforeValidator(_known_type),
]

Input = Annotated[
    Annotated[str, Tag("~text")]
    | Annotated[list[AnyItem], Field(max_length=MAX_ITEMS), Tag("~list")],
    Discriminator(text_or_list),
]


class TextConfig(Body):
    """What the answer's text is to be."""

    format: dict[str, Any] | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class Reasoning(Body):
    """Whether the model shall reason, and whether a summary of that is wanted."""

    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra"] | None = (
        None
    )
    summary: Literal["auto", "concise", "detailed"] | None = None
    generate_summary: Literal["auto", "concise", "detailed"] | None = None


class ResponseStreamOptions(Body):
    """Options for `stream: true`."""

    include_obfuscation: bool | None = None


LOGPROBS = "message.output_text.logprobs"

Includable = Literal[
    "message.output_text.logprobs",
    "reasoning.encrypted_content",
    "message.input_image.image_url",
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
]
"""Answers have the first where it is asked for; reasoning and images are told in any case, and of
hosted tools there is nothing to tell."""

MetadataKey = Annotated[str, Field(max_length=MAX_METADATA_KEY)]
MetadataValue = Annotated[str, Field(max_length=MAX_METADATA_VALUE)]


class ResponsesRequest(SamplingFields, TemplateFields):
    """A request for a response. `user`, `safety_identifier`, `prompt_cache_key` and `service_tier`
    are accepted and mean nothing here; nor does `max_tool_calls`, which is about hosted tools.
    `model` may be left out where there is one."""

    model: str | None = None
    input: Input | None = None
    instructions: str | None = None
    previous_response_id: Annotated[str, Field(max_length=MAX_ITEM_ID)] | None = None
    tools: Annotated[list[RequestTool], Field(max_length=MAX_TOOLS)] | None = None
    tool_choice: Any = None
    parallel_tool_calls: bool | None = None
    max_tool_calls: Annotated[int, Field(ge=1)] | None = None
    max_output_tokens: TokenLimit | None = None
    text: TextConfig | None = None
    reasoning: Reasoning | None = None
    include: Annotated[list[Includable], Field(max_length=MAX_INCLUDED)] | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    truncation: Literal["auto", "disabled"] | None = None
    stream: bool | None = None
    stream_options: ResponseStreamOptions | None = None
    store: bool | None = None
    background: bool | None = None
    metadata: Annotated[dict[MetadataKey, MetadataValue], Field(max_length=MAX_METADATA)] | None = (
        None
    )
    cache_salt: Annotated[str, Field(min_length=1, max_length=MAX_SALT_LENGTH)] | None = None
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    service_tier: str | None = None

    def items(self) -> list[tuple[AnyItem, str]]:
        """The items of the input, and where the request has each; a text is a user's message."""
        if isinstance(self.input, str):
            return [(MessageItem(role="user", content=self.input), "input")]
        return [(item, f"input[{index}]") for index, item in enumerate(self.input or ())]

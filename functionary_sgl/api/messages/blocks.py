"""Content blocks: what messages are made of, as Anthropic's API reference describes them.

`cache_control` is accepted anywhere: what a prompt has in common with those before it is always
cached.
"""

from functools import partial
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from functionary_sgl.api.bodies import Body, shown_type, tags_of
from functionary_sgl.api.limits import MAX_PARTS
from functionary_sgl.api.sampling import text_or_list


class TextBlock(Body):
    """Text."""

    type: Literal["text"]
    text: str


class Source(Body):
    """What is in a block, or where it is; which fields count depends on its type."""

    type: str
    media_type: str | None = None
    data: str | None = None
    url: str | None = None


class ImageBlock(Body):
    """An image."""

    type: Literal["image"]
    source: Source
    transformations: dict[str, Any] | None = None


class Citations(Body):
    """Whether answers shall say what of a document they are about."""

    enabled: bool | None = None


class DocumentBlock(Body):
    """A document."""

    type: Literal["document"]
    source: Source
    title: str | None = None
    context: str | None = None
    citations: Citations | None = None


class ThinkingBlock(Body):
    """What was reasoned before an answer. Anybody may say so: its signature is not looked at."""

    type: Literal["thinking"]
    thinking: str
    signature: str | None = None


class RedactedThinkingBlock(Body):
    """The same, encrypted, for its maker alone."""

    type: Literal["redacted_thinking"]
    data: str | None = None


class ToolUseBlock(Body):
    """A call, with the id that its result refers to."""

    type: Literal["tool_use"]
    id: str
    name: str
    input: dict[str, Any]


class ToolResultBlock(Body):
    """What a tool gave back."""

    type: Literal["tool_result"]
    tool_use_id: str
    content: "ResultContent | None" = None
    is_error: bool | None = None


_KINDS = (
    "text",
    "image",
    "document",
    "thinking",
    "redacted_thinking",
    "tool_use",
    "tool_result",
)


_tag = tags_of(_KINDS)
_known_type = partial(shown_type, kinds=_KINDS, error="block_type", what="Blocks")

AnyBlock = Annotated[
    Annotated[TextBlock, Tag("~text")]
    | Annotated[ImageBlock, Tag("~image")]
    | Annotated[DocumentBlock, Tag("~document")]
    | Annotated[ThinkingBlock, Tag("~thinking")]
    | Annotated[RedactedThinkingBlock, Tag("~redacted_thinking")]
    | Annotated[ToolUseBlock, Tag("~tool_use")]
    | Annotated[ToolResultBlock, Tag("~tool_result")],
    Discriminator(
        _tag,
        custom_error_type="block_type",
        custom_error_message="A block is an object with a 'type' that says what it is",
    ),
    BeforeValidator(_known_type),
]

ResultBlock = Annotated[
    Annotated[TextBlock, Tag("~text")]
    | Annotated[ImageBlock, Tag("~image")]
    | Annotated[DocumentBlock, Tag("~document")],
    Discriminator(
        _tag,
        custom_error_type="block_type",
        custom_error_message=(
            "A block of a result is an object of the type 'text', 'image' or 'document'"
        ),
    ),
    BeforeValidator(_known_type),
]

ResultContent = Annotated[
    Annotated[str, Tag("~text")]
    | Annotated[list[ResultBlock], Field(max_length=MAX_PARTS), Tag("~list")],
    Discriminator(text_or_list),
]

Content = Annotated[
    Annotated[str, Tag("~text")]
    | Annotated[list[AnyBlock], Field(max_length=MAX_PARTS), Tag("~list")],
    Discriminator(text_or_list),
]

Texts = Annotated[
    Annotated[str, Tag("~text")]
    | Annotated[list[TextBlock], Field(max_length=MAX_PARTS), Tag("~list")],
    Discriminator(text_or_list),
]
"""A text, or blocks of text."""

ToolResultBlock.model_rebuild()

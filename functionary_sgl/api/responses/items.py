"""Items: what the input of a request is made of, and what is kept of an answer."""

from functools import partial
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from functionary_sgl.api.bodies import Body, shown_type, type_of
from functionary_sgl.api.limits import MAX_ITEM_ID, MAX_PARTS
from functionary_sgl.api.sampling import text_or_list

ItemId = Annotated[str, Field(max_length=MAX_ITEM_ID)]


class Part(Body):
    """A piece of a content; which fields count depends on its type."""

    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: str | None = None
    file_id: str | None = None


Content = Annotated[
    Annotated[str, Tag("~text")] | Annotated[list[Part], Field(max_length=MAX_PARTS), Tag("~list")],
    Discriminator(text_or_list),
]


class Item(Body):
    """What all items have. `status` says nothing here."""

    id: ItemId | None = None
    status: str | None = None


class MessageItem(Item):
    """A message of any role but a tool's."""

    type: Literal["message"] | None = None
    role: Literal["system", "developer", "user", "assistant"]
    content: Content


class FunctionCallItem(Item):
    """A call of a function, its arguments as the model wrote them."""

    type: Literal["function_call"]
    call_id: str
    name: str
    arguments: str


class FunctionOutputItem(Item):
    """What a function gave back."""

    type: Literal["function_call_output"]
    call_id: str
    output: Content


class CustomCallItem(Item):
    """A call of a custom tool."""

    type: Literal["custom_tool_call"]
    call_id: str
    name: str
    input: str


class CustomOutputItem(Item):
    """What a custom tool gave back."""

    type: Literal["custom_tool_call_output"]
    call_id: str
    output: Content


class ReasoningText(Body):
    """A piece of reasoning, or of a summary of it."""

    type: str | None = None
    text: str


Texts = Annotated[list[ReasoningText], Field(max_length=MAX_PARTS)]


class ReasoningItem(Item):
    """What was reasoned before an answer. What is encrypted is for its maker alone."""

    type: Literal["reasoning"]
    summary: Texts | None = None
    content: Texts | None = None
    encrypted_content: str | None = None


class ItemReference(Item):
    """An item that is kept here, by its id."""

    type: Literal["item_reference"] | None = None
    id: ItemId


_KINDS = (
    "message",
    "function_call",
    "function_call_output",
    "custom_tool_call",
    "custom_tool_call_output",
    "reasoning",
    "item_reference",
)


def _item_tag(value: Any) -> str | None:
    kind = type_of(value)
    if kind is None:
        has_role = "role" in value if isinstance(value, dict) else hasattr(value, "role")
        kind = "message" if has_role else "item_reference"
    return f"~{kind}" if kind in _KINDS else None


_known_type = partial(shown_type, kinds=_KINDS, error="item_type", what="Items")


AnyItem = Annotated[
    Annotated[MessageItem, Tag("~message")]
    | Annotated[FunctionCallItem, Tag("~function_call")]
    | Annotated[FunctionOutputItem, Tag("~function_call_output")]
    | Annotated[CustomCallItem, Tag("~custom_tool_call")]
    | Annotated[CustomOutputItem, Tag("~custom_tool_call_output")]
    | Annotated[ReasoningItem, Tag("~reasoning")]
    | Annotated[ItemReference, Tag("~item_reference")],
    Discriminator(
        _item_tag,
        custom_error_type="item_type",
        custom_error_message="An item is an object with a 'type', or with a 'role' and a 'content'",
    ),
    BeforeValidator(_known_type),
]

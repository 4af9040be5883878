"""The bodies of POST /v1/messages and /v1/messages/count_tokens, as Anthropic's API reference
describes them."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from functionary_sgl.api.bodies import Body, of_known_type
from functionary_sgl.api.limits import (
    MAX_MESSAGES,
    MAX_METADATA,
    MAX_SALT_LENGTH,
    MAX_STOP_SEQUENCES,
    MAX_TOOLS,
)
from functionary_sgl.api.messages.blocks import Content, Texts
from functionary_sgl.api.rendering import TemplateFields
from functionary_sgl.api.sampling import SamplingFields, StopText, TokenLimit
from functionary_sgl.api.tools import FunctionName


class MessageParam(Body):
    """A message; those of the system have text only."""

    role: Literal["user", "assistant", "system"]
    content: Content


def _custom(value: Any) -> Any:
    told = (
        "Tools of the type '{kind}' are not hosted here, nor is their schema known; offer one with "
        "a 'name', a 'description' and an 'input_schema' of your own"
    )
    return of_known_type(value, ("custom",), "tool_type", told)


class ClientTool(Body):
    """A function on offer; `input_schema` is a JSON Schema."""

    type: Literal["custom"] | None = None
    name: FunctionName
    description: str | None = None
    input_schema: dict[str, Any]
    strict: bool | None = None


AnyClientTool = Annotated[ClientTool, BeforeValidator(_custom)]


class Choice(Body):
    """What the model may do with the tools."""

    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class ThinkingConfig(Body):
    """Whether the model shall reason. Where it is left to the model, so it is here; the budget is
    that of the whole answer, `max_tokens`."""

    type: Literal["enabled", "disabled", "adaptive"]
    budget_tokens: int | None = None
    display: Literal["summarized", "omitted"] | None = None


class OutputFormat(Body):
    """What the answer's text is to be."""

    type: Literal["json_schema"]
    schema_: dict[str, Any] = Field(alias="schema")


class OutputConfig(Body):
    """What the answer's text is to be, and how hard the model shall try, which nothing here can
    tell it."""

    format: OutputFormat | None = None
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None


class Diagnostics(Body):
    """Asks why the prompt of an earlier message was not found in the cache."""

    previous_message_id: str | None = None


class PromptFields(SamplingFields, TemplateFields):
    """What prompts are made of. `metadata`, `service_tier` and `user_profile_id` are accepted and
    mean nothing here. `model` may be left out where there is one."""

    model: str | None = None
    messages: Annotated[list[MessageParam], Field(min_length=1, max_length=MAX_MESSAGES)]
    system: Texts | None = None
    tools: Annotated[list[AnyClientTool], Field(max_length=MAX_TOOLS)] | None = None
    tool_choice: Choice | None = None
    thinking: ThinkingConfig | None = None
    output_config: OutputConfig | None = None
    output_format: OutputFormat | None = None
    context_management: dict[str, Any] | None = None
    thread: dict[str, Any] | None = None
    cache_salt: Annotated[str, Field(min_length=1, max_length=MAX_SALT_LENGTH)] | None = None
    metadata: Annotated[dict[str, Any], Field(max_length=MAX_METADATA)] | None = None
    service_tier: str | None = None
    user_profile_id: str | None = None


class CountTokensRequest(PromptFields):
    """A request for the number of tokens of a message's prompt."""


class MessagesRequest(PromptFields):
    """A request for a message."""

    max_tokens: TokenLimit
    stop_sequences: Annotated[list[StopText], Field(max_length=MAX_STOP_SEQUENCES)] | None = None
    stream: bool | None = None
    diagnostics: Diagnostics | None = None

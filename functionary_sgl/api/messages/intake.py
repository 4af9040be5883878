"""Requests for messages as a Conversation."""

from dataclasses import replace
from typing import Any

from functionary_sgl.api import refusals, rendering
from functionary_sgl.api import sampling as shared
from functionary_sgl.api.json_answers import by_schema
from functionary_sgl.api.messages import promises
from functionary_sgl.api.messages.messages import messages
from functionary_sgl.api.messages.requests import ClientTool, MessagesRequest, PromptFields
from functionary_sgl.chat.conversation import Conversation
from functionary_sgl.chat.forms import Answer
from functionary_sgl.chat.schema import with_parameters
from functionary_sgl.chat.tools import Tool, ToolChoice
from functionary_sgl.engines.base import Sampling
from functionary_sgl.errors import RequestError

ID_PREFIX = "toolu_"


def check(request: PromptFields) -> None:
    """RequestError for fields that cannot be honoured; a debug log of those that are unknown."""
    promises.check(request)
    refusals.note_unknown(request)


def conversation(request: PromptFields) -> Conversation:
    """What the model is asked; RequestError for what cannot be asked."""
    offered = tuple(_tool(t, f"tools[{index}]") for index, t in enumerate(request.tools or ()))
    choice = _choice(request, [tool.name for tool in offered])
    said = messages(request.messages, request.system)
    # 'adaptive' leaves it to the model, as saying nothing does.
    kind = None if request.thinking is None else request.thinking.type
    effort = {"enabled": "some", "disabled": "none"}.get(kind or "")
    reasons, said_by = rendering.reasoning(request, effort, "thinking")
    return Conversation(
        messages=said,
        tools=offered,
        choice=choice,
        parallel=_parallel(request, choice),
        reasoning=reasons,
        reasoning_param=said_by,
        template_options=rendering.template_options(request),
        answer=_answer(request),
        continues=promises.continues(request, said),
        continues_param="messages",
    )


def sampling(request: PromptFields, defaults: Any) -> Sampling:
    """How tokens are drawn, and where text ends."""
    stops = request.stop_sequences if isinstance(request, MessagesRequest) else None
    stop = tuple(text for text in stops or () if text)
    return replace(shared.sampling(request, defaults), stop=stop)


def _tool(given: ClientTool, path: str) -> Tool:
    strict = bool(given.strict)
    tool = Tool(given.name, given.description or "", "null", strict, path, "input_schema")
    return with_parameters(tool, given.input_schema)


def _choice(request: PromptFields, names: list[str]) -> ToolChoice:
    """RequestError for a choice of what is not on offer."""
    asked = request.tool_choice
    if asked is None or asked.type == "auto":
        return ToolChoice()
    if asked.type == "none":
        return ToolChoice("none")
    if asked.type == "any":
        if not names:
            raise RequestError("'any' needs at least one tool in 'tools'.", param="tool_choice")
        return ToolChoice("required")
    if asked.name not in names:
        raise RequestError(
            f"No tool in 'tools' has the name '{str(asked.name)[:128]}'.", param="tool_choice.name"
        )
    return ToolChoice("named", asked.name)


def _parallel(request: PromptFields, choice: ToolChoice) -> bool:
    """Whether a call may be followed by another; who names a tool takes the first."""
    asked = request.tool_choice.disable_parallel_tool_use if request.tool_choice else None
    return choice.mode != "named" if asked is None else not asked


def _answer(request: PromptFields) -> Answer | None:
    """What text must be; None: any text."""
    config = request.output_config.format if request.output_config else None
    if config is not None and request.output_format is not None:
        raise RequestError(
            "'output_config.format' and 'output_format' both say what the answer must be; send "
            "one.",
            param="output_format",
        )
    if config is not None:
        return by_schema(config.schema_, "output_config.format.schema", strict=True)
    if request.output_format is not None:
        return by_schema(request.output_format.schema_, "output_format.schema", strict=True)
    return None

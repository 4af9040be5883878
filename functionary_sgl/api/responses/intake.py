"""Requests for responses, in all the shapes that clients send, as a Conversation."""

from collections.abc import Sequence
from typing import Any

from functionary_sgl.api import choices, refusals, rendering, tools
from functionary_sgl.api.responses import promises
from functionary_sgl.api.responses.answers import answer
from functionary_sgl.api.responses.messages import Placed, messages
from functionary_sgl.api.responses.requests import LOGPROBS, ResponsesRequest
from functionary_sgl.api.tools import FlatFunctionTool
from functionary_sgl.chat.conversation import Conversation
from functionary_sgl.chat.tools import Tool, ToolChoice
from functionary_sgl.errors import RequestError


def check(request: ResponsesRequest) -> None:
    """RequestError for fields that cannot be honoured; a debug log of those that are unknown."""
    promises.check(request)
    refusals.note_unknown(request)


def conversation(request: ResponsesRequest, items: Sequence[Placed]) -> Conversation:
    """What the model is asked, `items` being all of the input; RequestError for what cannot be
    asked."""
    offered = tuple(
        tools.function(tool, f"tools[{index}]")
        if isinstance(tool, FlatFunctionTool)
        else tools.custom(tool, f"tools[{index}]")
        for index, tool in enumerate(request.tools or ())
    )
    choice = _choice(request.tool_choice, offered)
    effort = request.reasoning.effort if request.reasoning else None
    reasons, said_by = rendering.reasoning(request, effort, "reasoning.effort")
    return Conversation(
        messages=messages(items, request.instructions),
        tools=offered,
        choice=choice,
        parallel=_parallel(request, choice),
        reasoning=reasons,
        reasoning_param=said_by,
        effort=rendering.word(effort),
        template_options=rendering.template_options(request),
        answer=answer(request),
        messages_param="input",
    )


def top_logprobs(request: ResponsesRequest) -> int | None:
    """How many alternatives to tell of each token of a text; None for no log-probabilities."""
    if request.top_logprobs is None and LOGPROBS not in (request.include or ()):
        return None
    return request.top_logprobs or 0


def _choice(asked: Any, offered: Sequence[Tool]) -> ToolChoice:
    """RequestError for a choice of what is not on offer."""
    if isinstance(asked, str) and asked not in ("none", "auto", "required"):
        raise RequestError(
            f"Invalid value: '{asked}'. Supported values are: 'none', 'auto', and 'required'.",
            param="tool_choice",
        )
    kind = asked.get("type", "function") if isinstance(asked, dict) else "function"
    if kind not in ("function", "custom", "allowed_tools"):
        raise RequestError(
            f"Tools of the type '{str(kind)[:64]}' are not hosted here; choose one of 'tools'.",
            param="tool_choice",
        )
    return choices.choice(asked, [tool.name for tool in offered], "tool_choice", "tools")


def _parallel(request: ResponsesRequest, choice: ToolChoice) -> bool:
    """Whether a call may be followed by another; who names a function takes the first."""
    if request.parallel_tool_calls is None:
        return choice.mode != "named"
    return request.parallel_tool_calls

"""A response before there is anything in it: what was asked for, in OpenAI's words."""

import time
from typing import Any

from functionary_sgl.api.responses.output import new_id
from functionary_sgl.api.responses.requests import ResponsesRequest
from functionary_sgl.api.tools import CustomDefinition, FlatFunctionTool
from functionary_sgl.chat.conversation import Conversation
from functionary_sgl.chat.custom import CustomTool
from functionary_sgl.chat.tools import ToolChoice
from functionary_sgl.engines.base import Sampling


def head(
    request: ResponsesRequest, conversation: Conversation, sampling: Sampling, model: str
) -> dict[str, Any]:
    """The response of `model` to `request`, in progress. What the request does not say is told as
    it is done; `store`, which may turn out otherwise, is told as it is asked for."""
    return {
        "id": new_id("resp"),
        "object": "response",
        "created_at": int(time.time()),
        "status": "in_progress",
        "background": bool(request.background),
        "error": None,
        "incomplete_details": None,
        "instructions": request.instructions,
        "max_output_tokens": request.max_output_tokens,
        "max_tool_calls": request.max_tool_calls,
        "model": model,
        "output": [],
        "parallel_tool_calls": conversation.parallel,
        "previous_response_id": request.previous_response_id,
        "prompt_cache_key": request.prompt_cache_key,
        "reasoning": _reasoning(request),
        "safety_identifier": request.safety_identifier,
        "service_tier": "default",
        "store": request.store is not False,
        "temperature": sampling.temperature,
        "text": _text(request),
        "tool_choice": _tool_choice(conversation),
        "tools": [_tool(tool) for tool in request.tools or ()],
        "top_logprobs": request.top_logprobs or 0,
        "top_p": sampling.top_p,
        "truncation": request.truncation or "disabled",
        "usage": None,
        "user": request.user,
        "metadata": request.metadata or {},
    }


def _reasoning(request: ResponsesRequest) -> dict[str, Any]:
    asked = request.reasoning
    return {"effort": asked.effort if asked else None, "summary": None}


def _text(request: ResponsesRequest) -> dict[str, Any]:
    asked = request.text.format if request.text else None
    form: dict[str, Any] = {"type": "text"}
    if asked and asked.get("type") == "json_schema":
        names = ("type", "name", "description", "schema")
        form = {name: asked.get(name) for name in names} | {"strict": bool(asked.get("strict"))}
    elif asked and "type" in asked:
        form = {"type": asked["type"]}
    return {"format": form, "verbosity": "medium"}


def _tool_choice(conversation: Conversation) -> str | dict[str, Any]:
    choice, kinds = conversation.choice, _kinds(conversation)
    if choice.mode == "named":
        return {"type": kinds[choice.name or ""], "name": choice.name}
    if choice.allowed is None:
        return choice.mode
    return {"type": "allowed_tools", "mode": choice.mode, "tools": _allowed(choice, kinds)}


def _allowed(choice: ToolChoice, kinds: dict[str, str]) -> list[dict[str, Any]]:
    return [{"type": kind, "name": name} for name, kind in kinds.items() if choice.allows(name)]


def _kinds(conversation: Conversation) -> dict[str, str]:
    return {
        tool.name: "custom" if isinstance(tool, CustomTool) else "function"
        for tool in conversation.tools
    }


def _tool(tool: FlatFunctionTool | CustomDefinition) -> dict[str, Any]:
    told = {"name": tool.name, "description": tool.description}
    if isinstance(tool, FlatFunctionTool):
        strict = bool(tool.strict)
        return {"type": "function", **told, "parameters": tool.parameters, "strict": strict}
    given = tool.format
    form: dict[str, Any] = {"type": "text"}
    if given is not None and given.type == "grammar":
        grammar = given.grammar or given
        form = {"type": "grammar", "syntax": grammar.syntax, "definition": grammar.definition}
    return {"type": "custom", **told, "format": form}

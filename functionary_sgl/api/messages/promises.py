"""Whether what a request's fields promise can be kept."""

from collections.abc import Mapping, Sequence
from typing import Any

from functionary_sgl.api import refusals
from functionary_sgl.api.messages.requests import ClientTool, MessagesRequest, PromptFields
from functionary_sgl.api.refusals import LEAVE_OUT, TEXT_ONLY, Refused, refusal
from functionary_sgl.api.refusals import REFUSED as SHARED
from functionary_sgl.api.sampling import check_least
from functionary_sgl.chat.conversation import Message
from functionary_sgl.errors import RequestError

NO_THREADS = "thread_unsupported_request"
"""Anthropic's word for it: its clients then send all that was said."""

_LENGTH = "use 'max_tokens'"
_THINKING = "use 'thinking'"
_MESSAGES = "send 'system' and 'messages'"
_PREFILL = "an answer goes on in the last message where that is the assistant's"
_LOGPROBS = "this API has none; use /v1/chat/completions"

REFUSED: Mapping[str, Refused] = {
    **SHARED,
    **refusals.forms("describe the answer by 'output_config.format'"),
    # Anthropic
    "container": Refused((), "nothing is run here; leave it out"),
    "mcp_servers": Refused(([],), "no servers are asked here; offer their tools in 'tools'"),
    "compaction": Refused((), "nothing is summarized here; shorten the messages"),
    "fallbacks": Refused(([],), LEAVE_OUT),
    "inference_geo": Refused((), LEAVE_OUT),
    "speed": Refused(("standard",), LEAVE_OUT),
    # OpenAI
    "max_completion_tokens": Refused((), _LENGTH),
    "max_output_tokens": Refused((), _LENGTH),
    "functions": Refused(([],), "use 'tools'"),
    "function_call": Refused(("auto",), "use 'tool_choice'"),
    "parallel_tool_calls": Refused((True,), "use 'tool_choice.disable_parallel_tool_use'"),
    "reasoning": Refused((), _THINKING),
    "reasoning_effort": Refused((), _THINKING),
    "include_reasoning": Refused((True,), _THINKING),
    "input": Refused((), _MESSAGES),
    "instructions": Refused((), _MESSAGES),
    "prompt": Refused((), _MESSAGES),
    "input_ids": Refused((), _MESSAGES),
    "modalities": Refused((["text"], []), TEXT_ONLY),
    "audio": Refused(({},), TEXT_ONLY),
    "n": Refused((1,), "send the request several times"),
    "best_of": Refused((1,), "send the request several times, and choose"),
    "logprobs": Refused((False,), _LOGPROBS),
    "top_logprobs": Refused((0,), _LOGPROBS),
    "prompt_logprobs": Refused((False,), _LOGPROBS),
    "stream_options": Refused(({}, {"include_usage": True}), "the usage is always told"),
    "verbosity": Refused(("medium",), "say in the messages how long answers shall be"),
    # vLLM and SGLang
    "continue_final_message": Refused((False,), _PREFILL),
    "add_generation_prompt": Refused((True,), _PREFILL),
    "n_predict": Refused((-1,), _LENGTH),
}

_OF_TOOLS: Mapping[str, Refused] = {
    "allowed_callers": Refused((["direct"], []), "the model alone calls it; leave it out"),
    "defer_loading": Refused((False,), "the model is shown all tools; leave it out"),
    "input_examples": Refused(([],), "put them into the description"),
}
"""Fields of a tool that cannot be honoured."""

_KEEPS_ALL = ("all", {"type": "all"})


def check(request: PromptFields) -> None:
    """RequestError, naming it, for a field that promises what cannot be kept."""
    refusals.check(request, REFUSED)
    if request.thread is not None:
        raise RequestError(
            "'thread' cannot be honoured here: nothing is kept; send all 'messages' without it.",
            "thread",
            NO_THREADS,
        )
    if request.stop is not None:
        raise refusal("stop", "use 'stop_sequences'")
    for index, tool in enumerate(request.tools or ()):
        _check_tool(tool, f"tools[{index}]")
    if not _changes_nothing(request.context_management or {}):
        raise refusal("context_management", "nothing is left out of messages; shorten them")
    if isinstance(request, MessagesRequest):
        check_least(request, request.max_tokens)


def _check_tool(tool: ClientTool, path: str) -> None:
    try:
        refusals.check(tool, _OF_TOOLS)
    except RequestError as error:
        raise RequestError(error.message, param=f"{path}.{error.param}") from error


def _changes_nothing(asked: Mapping[str, Any]) -> bool:
    """Whether there is nothing to do for what is asked of earlier messages: coding agents send
    with each request that all thinking is to be kept."""
    edits = asked.get("edits") or []
    return not (asked.keys() - {"edits"}) and all(
        isinstance(edit, dict)
        and edit.get("type") == "clear_thinking_20251015"
        and edit.get("keep") in _KEEPS_ALL
        for edit in edits
    )


def continues(request: PromptFields, messages: Sequence[Message]) -> bool:
    """Whether the answer goes on in the last of `messages`, which `request` has; RequestError where
    it cannot."""
    last = messages[-1]
    if last.role != "assistant":
        return False
    faults = {
        "its tool uses need their results": bool(last.calls),
        "it must have text": not last.content,
        "'tool_choice' must leave room for text": _forces_use(request),
        "'thinking' must not be enabled": _thinks(request),
    }
    for fault, found in faults.items():
        if found:
            raise RequestError(
                f"The answer goes on in the last message, which is the assistant's: {fault}.",
                param=f"messages[{len(request.messages) - 1}]",
            )
    return True


def _forces_use(request: PromptFields) -> bool:
    return request.tool_choice is not None and request.tool_choice.type in ("any", "tool")


def _thinks(request: PromptFields) -> bool:
    return request.thinking is not None and request.thinking.type == "enabled"

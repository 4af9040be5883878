"""Whether what a request's fields promise can be kept."""

from typing import Any

from functionary_sgl.api.chat.extensions import REFUSED
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.errors import RequestError


def check(request: ChatRequest) -> None:
    """RequestError, naming it, for a field that promises what cannot be kept."""
    given = request.model_extra or {}
    for name, (harmless, advice) in REFUSED.items():
        value = given.get(name)
        if value is not None and not any(_same(value, known) for known in harmless):
            raise RequestError(f"'{name}' cannot be honoured here: {advice}.", param=name)
    _check_lengths(request)


def _same(value: Any, known: Any) -> bool:
    """Equal as JSON: true is no number."""
    return bool(value == known) and isinstance(value, bool) == isinstance(known, bool)


def _check_lengths(request: ChatRequest) -> None:
    most = request.max_completion_tokens or request.max_tokens
    if request.min_tokens and most is not None and request.min_tokens > most:
        raise RequestError(
            f"'min_tokens' ({request.min_tokens}) is more than the answer may have ({most}).",
            param="min_tokens",
        )


def continues(request: ChatRequest) -> bool:
    """Whether the answer goes on in the last message; RequestError where it cannot."""
    if not request.continue_final_message:
        if request.add_generation_prompt is False:
            raise RequestError(
                "'add_generation_prompt' can be false only with 'continue_final_message'.",
                param="add_generation_prompt",
            )
        return False
    last = request.messages[-1]
    faults = {
        "'add_generation_prompt' must then be false": request.add_generation_prompt is True,
        "the last message must be the assistant's": last.role != "assistant",
        "it must have no calls": bool(last.tool_calls or last.function_call),
        "it must have text": not last.content,
        "'tool_choice' must leave room for text": _forces_call(request),
    }
    for fault, found in faults.items():
        if found:
            raise RequestError(
                f"'continue_final_message' is true: {fault}.", param="continue_final_message"
            )
    return True


def _forces_call(request: ChatRequest) -> bool:
    asked = request.tool_choice or request.function_call
    if isinstance(asked, dict) and asked.get("type") == "allowed_tools":
        holder = asked.get("allowed_tools", asked)
        return isinstance(holder, dict) and holder.get("mode") == "required"
    return asked not in (None, "auto", "none")

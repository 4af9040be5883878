"""Whether what a request's fields promise can be kept."""

from functionary_sgl.api import refusals
from functionary_sgl.api.chat.extensions import REFUSED
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.api.sampling import check_least
from functionary_sgl.errors import RequestError


def check(request: ChatRequest) -> None:
    """RequestError, naming it, for a field that promises what cannot be kept."""
    refusals.check(request, REFUSED)
    check_least(request, request.max_completion_tokens or request.max_tokens)


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

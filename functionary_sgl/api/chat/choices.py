"""`tool_choice` and `function_call`, in all their shapes."""

from collections.abc import Sequence

from functionary_sgl.api import choices
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.chat.tools import ToolChoice
from functionary_sgl.errors import RequestError


def check_shapes(request: ChatRequest) -> None:
    """The checks of the Functionary servers, in their order and with their messages.

    Raises RequestError.
    """
    if request.tools is not None and request.functions is not None:
        raise RequestError(
            "'functions' and 'tools' cannot both be provided. 'functions' are deprecated; use the "
            "'tools' parameter instead."
        )
    if isinstance(request.function_call, str) and request.function_call not in ("none", "auto"):
        raise RequestError(
            f"Invalid value: '{request.function_call}'. Supported values are: 'none' and 'auto'.",
            param="function_call",
        )
    if isinstance(request.tool_choice, str) and request.tool_choice not in (
        "none",
        "auto",
        "required",
    ):
        raise RequestError(
            f"Invalid value: '{request.tool_choice}'. Supported values are: 'none', 'auto', and "
            "'required'.",
            param="tool_choice",
        )
    for choice, offer in (("function_call", "functions"), ("tool_choice", "tools")):
        # The reference refuses any choice here; clients send those that ask for nothing.
        asks = getattr(request, choice) not in (None, "none", "auto")
        if asks and getattr(request, offer) is None:
            raise RequestError(
                f"Invalid value for '{choice}': '{choice}' is only allowed when '{offer}' are "
                "specified.",
                param=choice,
            )


def tool_choice(request: ChatRequest, names: Sequence[str]) -> ToolChoice:
    """What the request says about its tools, whose names are `names`; RequestError for what it
    cannot say."""
    if request.functions is not None:
        return choices.choice(request.function_call, names, "function_call", "functions")
    return choices.choice(request.tool_choice, names, "tool_choice", "tools")

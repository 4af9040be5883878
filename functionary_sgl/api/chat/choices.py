"""`tool_choice` and `function_call`, in all their shapes."""

from collections.abc import Sequence
from typing import Any

from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.chat.tools import CODE_INTERPRETER, ToolChoice
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
    param = "function_call" if request.functions is not None else "tool_choice"
    asked = getattr(request, param)
    if asked in (None, "auto"):
        return ToolChoice()
    if asked == "none":
        return ToolChoice("none")
    if asked == "required":
        return _required(names, param)
    if isinstance(asked, dict) and asked.get("type") == "allowed_tools":
        return _allowed(asked, names, param)
    name = _named(asked)
    if name is None:
        raise RequestError(
            f"Invalid value for '{param}': expected a string or an object that names a function.",
            param=param,
        )
    return ToolChoice("named", _known(name, names, param))


def _required(names: Sequence[str], param: str) -> ToolChoice:
    if not names:
        raise RequestError("'required' needs at least one tool in 'tools'.", param=param)
    return ToolChoice("required")


def _allowed(asked: dict[str, Any], names: Sequence[str], param: str) -> ToolChoice:
    """`{"type": "allowed_tools", "allowed_tools": {"mode": ..., "tools": [...]}}`; as in OpenAI's
    other API, `mode` and `tools` may also stand beside the type."""
    holder = asked.get("allowed_tools", asked)
    mode, tools = (holder.get(k) for k in ("mode", "tools")) if isinstance(holder, dict) else (0, 0)
    allowed = [_named(tool) for tool in tools] if isinstance(tools, list) else []
    if mode not in ("auto", "required") or not allowed or None in allowed:
        raise RequestError(
            "'allowed_tools' needs a 'mode' ('auto' or 'required') and 'tools', a list of objects "
            "that each name a function.",
            param=param,
        )
    known = frozenset(_known(name, names, param) for name in allowed if name is not None)
    return ToolChoice("required" if mode == "required" else "auto", allowed=known)


def _known(name: str, names: Sequence[str], param: str) -> str:
    if name not in names:
        offer = "functions" if param == "function_call" else "tools"
        raise RequestError(
            f"Invalid value for '{param}': no function named {name} was specified in the "
            f"'{offer}' parameter",
            param=param,
        )
    return name


def _named(choice: Any) -> str | None:
    """The name in `{"type": "function", "function": {"name": ...}}`, in the same with `custom`, or
    without that as OpenAI's Responses have it, or without `type` as in the old API."""
    if not isinstance(choice, dict):
        return None
    if choice.get("type") == "code_interpreter":
        return CODE_INTERPRETER
    kind = choice.get("type", "function")
    if kind not in ("function", "custom"):
        return None
    holder = choice.get(kind, choice)
    name = holder.get("name") if isinstance(holder, dict) else None
    return name if isinstance(name, str) else None

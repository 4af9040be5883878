"""What a request says about its tools, in all the shapes that OpenAI's APIs have for it."""

from collections.abc import Sequence
from typing import Any

from functionary_sgl.chat.tools import CODE_INTERPRETER, ToolChoice
from functionary_sgl.errors import RequestError


def choice(asked: Any, names: Sequence[str], param: str, offer: str) -> ToolChoice:
    """The choice `asked`, which the request has in `param`, among the tools of these `names`, which
    it has in `offer`; RequestError for what it cannot say."""
    if asked in (None, "auto"):
        return ToolChoice()
    if asked == "none":
        return ToolChoice("none")
    if asked == "required":
        return _required(names, param)
    if isinstance(asked, dict) and asked.get("type") == "allowed_tools":
        return _allowed(asked, names, param, offer)
    name = _named(asked)
    if name is None:
        raise RequestError(
            f"Invalid value for '{param}': expected a string or an object that names a function.",
            param=param,
        )
    return ToolChoice("named", _known(name, names, param, offer))


def _required(names: Sequence[str], param: str) -> ToolChoice:
    if not names:
        raise RequestError("'required' needs at least one tool in 'tools'.", param=param)
    return ToolChoice("required")


def _allowed(asked: dict[str, Any], names: Sequence[str], param: str, offer: str) -> ToolChoice:
    """`{"type": "allowed_tools", "allowed_tools": {"mode": ..., "tools": [...]}}`; as in OpenAI's
    Responses, `mode` and `tools` may also stand beside the type."""
    holder = asked.get("allowed_tools", asked)
    mode, tools = (holder.get(k) for k in ("mode", "tools")) if isinstance(holder, dict) else (0, 0)
    allowed = [_named(tool) for tool in tools] if isinstance(tools, list) else []
    if mode not in ("auto", "required") or not allowed or None in allowed:
        raise RequestError(
            "'allowed_tools' needs a 'mode' ('auto' or 'required') and 'tools', a list of objects "
            "that each name a function.",
            param=param,
        )
    known = frozenset(_known(name, names, param, offer) for name in allowed if name is not None)
    return ToolChoice("required" if mode == "required" else "auto", allowed=known)


def _known(name: str, names: Sequence[str], param: str, offer: str) -> str:
    if name not in names:
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

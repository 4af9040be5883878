"""`reasoning_effort` and `chat_template_kwargs`: how the conversation is to be rendered."""

from typing import Any

from functionary_sgl.api.chat.requests import ChatRequest

SWITCHES = ("enable_thinking", "thinking")
"""Names under which templates know whether the model shall reason, the one that counts first."""


def reasoning(request: ChatRequest) -> tuple[bool | None, str]:
    """Whether the model shall reason, None where nothing is said, and which field says so. A switch
    goes before an effort, as in vLLM and SGLang."""
    for name in SWITCHES:
        asked = getattr(request.chat_template_kwargs, name, None)
        if asked is not None:
            return asked, f"chat_template_kwargs.{name}"
    effort = request.reasoning_effort
    return None if effort is None else effort != "none", "reasoning_effort"


def template_options(request: ChatRequest) -> dict[str, Any]:
    """What else the template is to be given, by name; null is nothing."""
    given = request.chat_template_kwargs
    others = (given.model_extra or {}) if given else {}
    return {name: value for name, value in others.items() if value is not None}

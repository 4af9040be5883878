"""`chat_template_kwargs`: how the conversation is to be rendered."""

from typing import Any

from functionary_sgl.api.bodies import Body

SWITCHES = ("enable_thinking", "thinking")
"""Names under which templates know whether the model shall reason, the one that counts first."""


class ChatTemplateOptions(Body):
    """Variables for the chat template; vLLM's and SGLang's clients switch reasoning by them."""

    enable_thinking: bool | None = None
    thinking: bool | None = None


class TemplateFields(Body):
    """What a request says to the template."""

    chat_template_kwargs: ChatTemplateOptions | None = None


def reasoning(request: TemplateFields, effort: Any, param: str) -> tuple[bool | None, str]:
    """Whether the model shall reason, None where nothing is said, and which field says so: a
    switch, or else the `effort`, which is in `param`; as in vLLM and SGLang."""
    for name in SWITCHES:
        asked = getattr(request.chat_template_kwargs, name, None)
        if asked is not None:
            return asked, f"chat_template_kwargs.{name}"
    return None if effort is None else effort != "none", param


def word(effort: Any) -> str | None:
    """How much the model shall reason, as templates take it; None where that is not said."""
    return effort if isinstance(effort, str) and effort != "none" else None


def template_options(request: TemplateFields) -> dict[str, Any]:
    """What else the template is to be given, by name; null is nothing."""
    given = request.chat_template_kwargs
    others = (given.model_extra or {}) if given else {}
    return {name: value for name, value in others.items() if value is not None}

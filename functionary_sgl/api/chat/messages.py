"""The messages of a chat request, in all the shapes that clients send, as those of a Conversation.

A client sends back what it was told, and what other servers told it: refusals, reasoning in the
words of three makers, arguments that it has parsed.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from functionary_sgl.api.arguments import arguments_text
from functionary_sgl.api.chat.requests import (
    ChatMessage,
    ContentPart,
    CustomToolCall,
    FunctionCall,
    Thinking,
)
from functionary_sgl.api.contents import of_tool, of_user, text_of
from functionary_sgl.chat.conversation import Call, Image, Message
from functionary_sgl.chat.custom import arguments_of
from functionary_sgl.chat.history import in_call_order
from functionary_sgl.chat.tools import CODE_INTERPRETER
from functionary_sgl.errors import RequestError

TEXTS = ("text", "input_text", "output_text")
"""Types of parts that are text; the longer names are those of OpenAI's Responses."""

REASONING = ("thinking", "reasoning", "redacted_thinking")

# What parts of the messages of a role may be, beside text.
_PARTS = {
    "user": ("image_url",),
    "tool": ("image_url",),
    "function": ("image_url",),
    "assistant": ("refusal", *REASONING),
}


def messages(asked: Sequence[ChatMessage]) -> tuple[Message, ...]:
    """What was said so far, results behind their calls; RequestError for what cannot be shown."""
    read = [_message(message, f"messages[{index}]") for index, message in enumerate(asked)]
    return tuple(in_call_order(read))


def _message(message: ChatMessage, path: str) -> Message:
    if message.role == "assistant":
        return _assistant(message, path)
    if message.content is None and message.role not in ("tool", "function"):
        raise RequestError(
            f"Invalid type for '{path}.content': expected a string or parts, but got null.",
            param=f"{path}.content",
        )
    parts = tuple(_shown(message, path))
    if message.role in ("tool", "function"):
        return of_tool(parts, message.tool_call_id, message.name)
    if message.role == "user":
        return of_user(parts, listed=isinstance(message.content, list))
    return Message("system", text_of(parts))


def _assistant(message: ChatMessage, path: str) -> Message:
    content = text_of(tuple(_shown(message, path)))
    calls = [
        Call(call.custom.name, arguments_of(call.custom.input), call.id)
        if isinstance(call, CustomToolCall)
        else _call(call.function, f"{path}.tool_calls[{index}].function", call.id)
        for index, call in enumerate(message.tool_calls or ())
    ]
    if message.function_call and not calls:
        calls = [_call(message.function_call, f"{path}.function_call")]
    # Servers tell the same under several names, and clients send all of them back.
    told = [message.reasoning_content, message.reasoning, *_reasoned(message, path)]
    reasoning = "\n".join(dict.fromkeys(text for text in told if text))
    return Message(
        "assistant", content + (message.refusal or ""), tuple(calls), reasoning=reasoning
    )


def _call(call: FunctionCall, path: str, call_id: str | None = None) -> Call:
    return Call(call.name, _arguments(call, f"{path}.arguments"), call_id)


def _arguments(call: FunctionCall, path: str) -> str:
    """As a model writes them; of the code interpreter, the code."""
    given = call.arguments
    if isinstance(given, str):
        return given
    if not given:
        return "" if call.name == CODE_INTERPRETER else "{}"
    return arguments_text(call.name, given, path)


def _parts(message: ChatMessage, path: str) -> Iterator[tuple[ContentPart, str]]:
    """The parts of `message` and their paths; RequestError for what its role cannot have."""
    if message.content is None:
        return
    if isinstance(message.content, str):
        yield ContentPart(type="text", text=message.content), f"{path}.content"
        return
    known = TEXTS[:1] + _PARTS.get(message.role, ())
    for index, part in enumerate(message.content):
        place = f"{path}.content[{index}]"
        if part.type not in (*TEXTS, *known):
            raise RequestError(
                f"A part of the type '{part.type}' cannot be shown here; messages of the role "
                f"'{message.role}' have parts of the type {_listed(known)}.",
                param=place,
            )
        yield part, place


def _shown(message: ChatMessage, path: str) -> Iterator[str | Image]:
    """Texts and images of `message`, in their order."""
    for part, place in _parts(message, path):
        if part.type in TEXTS:
            yield _given(part.text, "text", part, place)
        elif part.type == "refusal":
            yield _given(part.refusal, "refusal", part, place)
        elif part.type == "image_url":
            yield Image(_given(part.image_url, "image_url", part, place).url, place)


def _reasoned(message: ChatMessage, path: str) -> Iterator[str]:
    """The reasoning in parts of `message`. What is encrypted is for its maker alone."""
    for part, place in _parts(message, path):
        if part.type in ("thinking", "reasoning"):
            fields = (part.thinking, part.reasoning, part.summary, part.text)
            told = next((field for field in fields if field is not None), None)
            yield _joined(_given(told, part.type, part, place))


def _joined(thinking: Thinking) -> str:
    if isinstance(thinking, str):
        return thinking
    return "\n".join(part.text for part in thinking)


def _given(value: Any, field: str, part: ContentPart, path: str) -> Any:
    if value is None:
        raise RequestError(
            f"A part of the type '{part.type}' has its content in '{field}'.", param=path
        )
    return value


def _listed(names: Sequence[str]) -> str:
    *others, last = [f"'{name}'" for name in names]
    return f"{', '.join(others)} or {last}" if others else last

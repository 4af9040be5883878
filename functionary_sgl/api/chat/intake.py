"""Chat requests, in all the shapes that clients send, to the one shape of a Conversation."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from functionary_sgl.api.chat import choices, response_format
from functionary_sgl.api.chat.requests import (
    ChatMessage,
    ChatRequest,
    ChatTemplateOptions,
    CodeInterpreterTool,
    ContentPart,
    FunctionDefinition,
    FunctionTool,
)
from functionary_sgl.chat.conversation import Call, Conversation, Image, Message
from functionary_sgl.chat.history import in_call_order
from functionary_sgl.chat.schema import with_parameters
from functionary_sgl.chat.tools import CODE_INTERPRETER, Tool, ToolChoice
from functionary_sgl.engines.base import Sampling
from functionary_sgl.errors import RequestError

logger = logging.getLogger(__name__)


def conversation(request: ChatRequest) -> Conversation:
    """What the model is asked; RequestError for what cannot be asked."""
    choices.check_shapes(request)
    tools = _tools(request)
    code_place = _code_place(request)
    code = code_place is not None
    names = [tool.name for tool in tools] + [CODE_INTERPRETER] * code
    choice = choices.tool_choice(request, names)
    return Conversation(
        messages=tuple(in_call_order(_messages(request.messages))),
        tools=tools,
        code_interpreter=code,
        code_place=code_place,
        choice=choice,
        parallel=_parallel(request, choice),
        reasoning=_reasoning(request),
        answer=response_format.answer(request.response_format),
    )


def sampling(request: ChatRequest, defaults: Mapping[str, Any]) -> Sampling:
    """How tokens are drawn: as the request says, else as the checkpoint does."""

    def value(name: str, fallback: Any) -> Any:
        asked = getattr(request, name)
        return defaults.get(name, fallback) if asked is None else asked

    stop = [request.stop] if isinstance(request.stop, str) else request.stop or []
    return Sampling(
        temperature=value("temperature", 1.0),
        top_p=value("top_p", 1.0),
        top_k=value("top_k", -1) or -1,
        min_p=value("min_p", 0.0),
        presence_penalty=request.presence_penalty or 0.0,
        frequency_penalty=request.frequency_penalty or 0.0,
        repetition_penalty=value("repetition_penalty", 1.0),
        seed=request.seed,
        logit_bias=request.logit_bias or {},
        stop=tuple(text for text in stop if text),
    )


def check(request: ChatRequest) -> None:
    """RequestError for fields that do not go together; a debug log of those that are unknown."""
    if request.model_extra:
        logger.debug("fields without a meaning here: %s", ", ".join(sorted(request.model_extra)))
    if request.top_logprobs is not None and not request.logprobs:
        raise RequestError(
            "'top_logprobs' is only allowed when 'logprobs' is true.", param="top_logprobs"
        )


def _parallel(request: ChatRequest, choice: ToolChoice) -> bool:
    """Whether a call may be followed by another. The old API has room for one in an answer, and who
    names a function takes the first."""
    if request.functions is not None:
        return False
    if request.parallel_tool_calls is None:
        return choice.mode != "named"
    return request.parallel_tool_calls


def _reasoning(request: ChatRequest) -> bool | None:
    if request.reasoning_effort is not None:
        return request.reasoning_effort != "none"
    options = request.chat_template_kwargs or ChatTemplateOptions()
    return options.thinking if options.enable_thinking is None else options.enable_thinking


def _messages(messages: Sequence[ChatMessage]) -> list[Message]:
    return [_message(message, f"messages[{index}]") for index, message in enumerate(messages)]


def _message(message: ChatMessage, path: str) -> Message:
    parts = _parts(message, path)
    content = "".join(part for part in parts if isinstance(part, str))
    if message.role == "assistant":
        calls = [
            Call(call.function.name, call.function.arguments, call.id)
            for call in message.tool_calls or ()
        ]
        if message.function_call and not calls:
            calls = [Call(message.function_call.name, message.function_call.arguments)]
        reasoning = message.reasoning_content or ""
        return Message("assistant", content, tuple(calls), reasoning=reasoning)
    if message.role in ("tool", "function"):
        return Message("tool", content, (), message.name, message.tool_call_id)
    if message.role == "user":
        images = any(isinstance(part, Image) for part in parts)
        # Some templates leave out a text that is empty, but show parts that all are.
        blank = isinstance(message.content, list) and not content
        return Message("user", content, parts=parts if images or blank else ())
    return Message("system", content)


def _parts(message: ChatMessage, path: str) -> tuple[str | Image, ...]:
    if message.content is None:
        if message.role == "assistant":
            return ()
        raise RequestError(
            f"Invalid type for '{path}.content': expected a string or parts, but got null.",
            param=f"{path}.content",
        )
    if isinstance(message.content, str):
        return (message.content,)
    return tuple(
        _part(part, f"{path}.content[{index}]", images=message.role == "user")
        for index, part in enumerate(message.content)
    )


def _part(part: ContentPart, path: str, *, images: bool) -> str | Image:
    if part.type == "text" and part.text is not None:
        return part.text
    if part.type == "image_url" and part.image_url is not None and images:
        return Image(part.image_url.url, path)
    raise RequestError(
        f"A part of the type '{part.type}' cannot be shown here; messages have parts of the type "
        "'text', with their text in 'text', those of users also 'image_url'.",
        param=path,
    )


def _tools(request: ChatRequest) -> tuple[Tool, ...]:
    if request.functions is not None:
        return tuple(
            _tool(function, f"functions[{index}]")
            for index, function in enumerate(request.functions)
        )
    return tuple(
        _tool(tool.function, f"tools[{index}].function")
        for index, tool in enumerate(request.tools or ())
        if isinstance(tool, FunctionTool)
    )


def _code_place(request: ChatRequest) -> int | None:
    """Before which of the tools the code interpreter stands; None where there is none."""
    tools = enumerate(request.tools or ())
    return next((place for place, tool in tools if isinstance(tool, CodeInterpreterTool)), None)


def _tool(function: FunctionDefinition, path: str) -> Tool:
    tool = Tool(function.name, function.description, "null", bool(function.strict), path)
    return tool if function.parameters is None else with_parameters(tool, function.parameters)

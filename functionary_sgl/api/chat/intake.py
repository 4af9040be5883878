"""Chat requests, in all the shapes that clients send, to the one shape of a Conversation."""

import logging
from collections.abc import Mapping
from typing import Any

from functionary_sgl.api.chat import answers, choices, promises, rendering
from functionary_sgl.api.chat.messages import messages
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.api.chat.tools import (
    CodeInterpreterTool,
    CustomDefinition,
    CustomFormat,
    CustomRequestTool,
    FlatCustomTool,
    FlatFunctionTool,
    FunctionDefinition,
)
from functionary_sgl.chat.conversation import Conversation
from functionary_sgl.chat.custom import custom_tool
from functionary_sgl.chat.forms import TextAnswer
from functionary_sgl.chat.schema import with_parameters
from functionary_sgl.chat.tools import CODE_INTERPRETER, Tool, ToolChoice
from functionary_sgl.engines.base import EVER, Sampling
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
    reasons, said_by = rendering.reasoning(request)
    continues = promises.continues(request)
    return Conversation(
        messages=messages(request.messages),
        tools=tools,
        code_interpreter=code,
        code_place=code_place,
        choice=choice,
        parallel=_parallel(request, choice),
        reasoning=reasons,
        reasoning_param=said_by,
        template_options=rendering.template_options(request),
        answer=answers.answer(request),
        continues=continues,
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
        stop_token_ids=tuple(request.stop_token_ids or ()),
        keeps_stop=bool(request.include_stop_str_in_output or request.no_stop_trim),
        min_tokens=EVER if request.ignore_eos else request.min_tokens or 0,
    )


def check(request: ChatRequest) -> None:
    """RequestError for fields that do not go together; a debug log of those that are unknown."""
    promises.check(request)
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


def _tools(request: ChatRequest) -> tuple[Tool, ...]:
    if request.functions is not None:
        return tuple(
            _tool(function, f"functions[{index}]")
            for index, function in enumerate(request.functions)
        )
    return tuple(
        _tool(tool, f"tools[{index}]")
        if isinstance(tool, FlatFunctionTool)
        else _custom(tool, f"tools[{index}]")
        if isinstance(tool, FlatCustomTool)
        else _custom(tool.custom, f"tools[{index}].custom")
        if isinstance(tool, CustomRequestTool)
        else _tool(tool.function, f"tools[{index}].function")
        for index, tool in enumerate(request.tools or ())
        if not isinstance(tool, CodeInterpreterTool)
    )


def _custom(tool: CustomDefinition, path: str) -> Tool:
    return custom_tool(tool.name, tool.description or "", _grammar(tool.format, path), path)


def _grammar(format: CustomFormat | None, path: str) -> TextAnswer | None:
    if format is None or format.type == "text":
        return None
    given, place = format.grammar or format, f"{path}.format"
    if given.definition is None or given.syntax is None:
        raise RequestError(
            "A grammar needs a 'definition' and a 'syntax'.", param=f"{place}.grammar"
        )
    place += ".grammar.definition" if format.grammar else ".definition"
    return TextAnswer("regex" if given.syntax == "regex" else "grammar", given.definition, place)


def _code_place(request: ChatRequest) -> int | None:
    """Before which of the tools the code interpreter stands; None where there is none."""
    tools = enumerate(request.tools or ())
    return next((place for place, tool in tools if isinstance(tool, CodeInterpreterTool)), None)


def _tool(function: FunctionDefinition, path: str) -> Tool:
    tool = Tool(function.name, function.description or "", "null", bool(function.strict), path)
    return tool if function.parameters is None else with_parameters(tool, function.parameters)

"""Chat requests, in all the shapes that clients send, to the one shape of a Conversation."""

from functionary_sgl.api import refusals, rendering, tools
from functionary_sgl.api.chat import answers, choices, promises
from functionary_sgl.api.chat.messages import messages
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.api.chat.tools import CodeInterpreterTool, CustomRequestTool, FunctionTool
from functionary_sgl.api.sampling import sampling
from functionary_sgl.api.tools import FlatCustomTool, FlatFunctionTool
from functionary_sgl.chat.conversation import Conversation
from functionary_sgl.chat.tools import CODE_INTERPRETER, Tool, ToolChoice
from functionary_sgl.errors import RequestError

__all__ = ["check", "conversation", "sampling"]

RequestTool = FunctionTool | FlatFunctionTool | CustomRequestTool | FlatCustomTool


def conversation(request: ChatRequest) -> Conversation:
    """What the model is asked; RequestError for what cannot be asked."""
    choices.check_shapes(request)
    offered = _tools(request)
    code_place = _code_place(request)
    code = code_place is not None
    names = [tool.name for tool in offered] + [CODE_INTERPRETER] * code
    choice = choices.tool_choice(request, names)
    reasons, said_by = rendering.reasoning(request, request.reasoning_effort, "reasoning_effort")
    continues = promises.continues(request)
    return Conversation(
        messages=messages(request.messages),
        tools=offered,
        code_interpreter=code,
        code_place=code_place,
        choice=choice,
        parallel=_parallel(request, choice),
        reasoning=reasons,
        reasoning_param=said_by,
        effort=rendering.word(request.reasoning_effort),
        template_options=rendering.template_options(request),
        answer=answers.answer(request),
        continues=continues,
    )


def check(request: ChatRequest) -> None:
    """RequestError for fields that do not go together; a debug log of those that are unknown."""
    promises.check(request)
    refusals.note_unknown(request)
    if request.top_logprobs is not None and not request.logprobs:
        raise RequestError(
            "'top_logprobs' is only allowed when 'logprobs' is true.", param="top_logprobs"
        )
    if request.return_turn and (request.n or 1) > 1:
        raise RequestError("'return_turn' shows one answer: leave out 'n'.", param="return_turn")


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
            tools.function(function, f"functions[{index}]")
            for index, function in enumerate(request.functions)
        )
    return tuple(
        _tool(tool, f"tools[{index}]")
        for index, tool in enumerate(request.tools or ())
        if not isinstance(tool, CodeInterpreterTool)
    )


def _tool(tool: RequestTool, path: str) -> Tool:
    match tool:
        case FlatFunctionTool():
            return tools.function(tool, path)
        case FlatCustomTool():
            return tools.custom(tool, path)
        case CustomRequestTool():
            return tools.custom(tool.custom, f"{path}.custom")
        case FunctionTool():
            return tools.function(tool.function, f"{path}.function")


def _code_place(request: ChatRequest) -> int | None:
    """Before which of the tools the code interpreter stands; None where there is none."""
    offered = enumerate(request.tools or ())
    return next((place for place, tool in offered if isinstance(tool, CodeInterpreterTool)), None)

"""Conversations to text, by the chat template that a checkpoint brings itself.

Templates are written for `apply_chat_template` of Hugging Face's transformers, so they get what it
would give them: the same variables, functions and filters, and messages in OpenAI's shape with
parsed arguments (documented under "Chat templates" in the transformers documentation).
"""

import json
from collections.abc import Callable, Mapping, Set
from contextlib import suppress
from datetime import datetime
from typing import Any

from jinja2 import Template, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic_core import from_json

from functionary_sgl.chat.conversation import Call, Conversation, Message
from functionary_sgl.chat.history import one_by_one
from functionary_sgl.chat.json_text import parsed
from functionary_sgl.chat.schema import bounded
from functionary_sgl.chat.tools import Tool
from functionary_sgl.errors import RequestError, UsageError
from functionary_sgl.prompt import call_ids
from functionary_sgl.prompt.definition import json_arguments
from functionary_sgl.tokenizer import ControlTokens

# What every template is given.
_GIVEN = ("messages", "tools", "add_generation_prompt", "enable_thinking", "thinking")


class ChatTemplate:
    """Renders with `template`; `special_tokens` are its `bos_token`, `eos_token` and the like.

    The result is marked as in `tokenizer.control`. What clients sent is marked before the template
    sees it, because templates put it together with their own tokens in one expression.
    """

    def __init__(
        self,
        template: str,
        special_tokens: Mapping[str, str],
        control: ControlTokens,
        source: str = "the model's chat template",
    ) -> None:
        """`source` says where `template` is from. Raises UsageError if it does not compile."""
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols]
        )
        environment.filters["tojson"] = _to_json
        environment.globals["raise_exception"] = _refuse
        environment.globals["strftime_now"] = lambda format: datetime.now().strftime(format)
        self._template = _compiled(environment, template, source)
        reads = meta.find_undeclared_variables(environment.parse(template))
        self.options: Set[str] = reads - {*special_tokens, *_GIVEN}
        self._special_tokens = special_tokens
        self._control = control
        self._with_ids = call_ids.shown_by(template)
        # Mistral's that know reasoning take it as a part of the content.
        self._shows_thoughts = "[THINK]" in template and "thinking" in template
        # Those of LFM2.5 and gpt-oss have a name of their own for it.
        self._thoughts = "thinking" if "message.thinking" in template else "reasoning_content"
        # The latter shows no more than one call of a message.
        self._has_channels = "<|channel|>" in template and ".thinking" in template

    def render(self, conversation: Conversation, *, generation: bool = True) -> str:
        """The marked text; with `generation`, up to where the assistant's next turn begins.

        Raises RequestError where the template refuses the conversation.
        """
        variables = self._variables(conversation, generation, _object)
        try:
            return self._template.render(variables)
        except Exception as error:  # a program that is not ours: what it raises cannot be known
            calls = [call for message in conversation.messages for call in message.calls]
            if any(isinstance(_object(json_arguments(call)), str) for call in calls):
                variables = self._variables(conversation, generation, _salvaged)
                with suppress(Exception):  # the first says what is wrong
                    return self._template.render(variables)
            told = str(error) if isinstance(error, TemplateError) else repr(error)
            raise RequestError(
                f"This model's chat template refuses the conversation: {told}",
                param=conversation.messages_param,
            ) from error

    def _variables(
        self, conversation: Conversation, generation: bool, shown: Callable[[str], Any]
    ) -> dict[str, Any]:
        """What the template is given, with the arguments of calls as they are `shown`."""
        told = list(self._with_ids(conversation.messages))
        if self._has_channels:
            told = one_by_one(told)
        messages = [self._message(message, shown) for message in told]
        effort = {} if conversation.effort is None else {"reasoning_effort": conversation.effort}
        variables: dict[str, Any] = {
            **self._marked(effort | dict(conversation.template_options)),
            **self._special_tokens,
            "messages": self._marked(messages),
            "tools": self._marked([_tool(tool) for tool in conversation.functions()]) or None,
            "documents": None,
            "add_generation_prompt": generation,
        }
        if conversation.reasoning is not None:
            variables |= dict.fromkeys(("enable_thinking", "thinking"), conversation.reasoning)
        return variables

    def _message(self, message: Message, arguments: Callable[[str], Any]) -> dict[str, Any]:
        shown: dict[str, Any] = {"role": message.role, "content": message.content}
        if message.reasoning and self._shows_thoughts:
            shown["content"] = _thought(message)
        elif message.reasoning and self._has_channels and message.calls:
            # It takes one of both, and takes that for reasoning.
            shown["thinking"] = "\n\n".join(filter(None, (message.reasoning, message.content)))
            shown["content"] = ""
        elif message.reasoning:
            shown[self._thoughts] = message.reasoning
        if message.calls:
            shown["tool_calls"] = [_call(call, arguments) for call in message.calls]
        if message.role == "tool":
            shown["name"] = message.name or "tool"
            shown["tool_call_id"] = message.call_id
        return shown

    def _marked(self, value: Any) -> Any:
        """`value` with all of its strings marked."""
        if isinstance(value, str):
            return self._control.mark(value)
        if isinstance(value, list):
            return [self._marked(item) for item in value]
        if isinstance(value, dict):
            return {self._marked(key): self._marked(item) for key, item in value.items()}
        return value


def _compiled(environment: ImmutableSandboxedEnvironment, text: str, source: str) -> Template:
    try:
        return environment.from_string(text)
    except TemplateSyntaxError as error:
        reason = f"{error.message} (line {error.lineno})"
    except Exception as error:  # Python's own, for what jinja made of the template
        reason = str(error) or type(error).__name__
    raise UsageError(f"{source} is no template that can be used: {reason}")


def _call(call: Call, arguments: Callable[[str], Any]) -> dict[str, Any]:
    function = {"name": call.name, "arguments": arguments(json_arguments(call))}
    return {"id": call.id, "type": "function", "function": function}


def _tool(tool: Tool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name, "description": tool.description}
    function["parameters"] = bounded(tool) or {"type": "object", "properties": {}}
    return {"type": "function", "function": function}


def _object(arguments: str) -> Any:
    """Arguments as an object, also where there are none; as the text they are where it is none, or
    one that nobody could put into a request: a model may well write what is too deep, and must be
    able to read it."""
    try:
        value = parsed(arguments or "{}")
    except ValueError:
        return arguments
    return value if isinstance(value, dict) else arguments


def _salvaged(arguments: str) -> dict[str, Any]:
    """Arguments for a template that takes objects only: what can be read of those that were cut,
    else the text that they are as the only argument."""
    value = _object(arguments)
    if isinstance(value, dict):
        return value
    try:
        read = from_json(arguments, allow_inf_nan=False, allow_partial="trailing-strings")
    except ValueError:
        read = None
    return read if isinstance(read, dict) else {"arguments": arguments}


def _thought(message: Message) -> list[dict[str, str]]:
    """Reasoning and text as Mistral's templates take them, as parts of the content."""
    parts = [{"type": "thinking", "thinking": message.reasoning}]
    return parts + [{"type": "text", "text": message.content}] * bool(message.content)


def _to_json(value: Any, **options: Any) -> str:
    return json.dumps(value, **{"ensure_ascii": False, **options})


def _refuse(message: str) -> None:
    raise TemplateError(message)


class _Generation(Extension):
    """`{% generation %}`, by which transformers finds assistants' text; it changes nothing."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)

"""Conversations to text, by a format's template."""

from collections.abc import Set
from typing import Protocol

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from functionary_sgl.chat.conversation import Conversation
from functionary_sgl.prompt import typescript
from functionary_sgl.prompt.definition import definition, json_arguments
from functionary_sgl.tokenizer import ControlTokens
from functionary_sgl.turns.format import TEMPLATE_DIRECTORIES


class Renderer(Protocol):
    """Renders conversations as marked text (see `tokenizer.control`): only what the template
    itself wrote can be a control token.

    options: what a conversation's `template_options` may be.
    """

    @property
    def options(self) -> Set[str]: ...

    def render(self, conversation: Conversation, *, generation: bool = True) -> str:
        """The text; with `generation`, up to where the assistant's next turn begins.

        Raises InvalidSchema for a tool that cannot be printed, RequestError for a conversation
        that cannot.
        """


class FormatTemplate:
    """Renders with `template`, the Jinja text of a format; it may use those of `templates/`."""

    options: Set[str] = frozenset()

    def __init__(self, template: str, control: ControlTokens) -> None:
        environment = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(TEMPLATE_DIRECTORIES),
            finalize=control.mark,
            undefined=StrictUndefined,
            autoescape=False,
        )
        environment.globals["typescript"] = typescript.namespace
        environment.globals["definition"] = definition
        environment.globals["json_arguments"] = json_arguments
        self._template = environment.from_string(template)

    def render(self, conversation: Conversation, *, generation: bool = True) -> str:
        """As Renderer says. `functions` are the tools with the code interpreter as one of them."""
        return self._template.render(
            messages=conversation.messages,
            tools=conversation.tools,
            functions=conversation.functions(),
            code_interpreter=conversation.code_interpreter,
            reasoning=conversation.reasoning is not False,
            add_generation_prompt=generation,
        )

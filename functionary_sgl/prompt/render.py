"""Conversations to text, by a format's template."""

from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from functionary_sgl.chat.conversation import Conversation
from functionary_sgl.prompt import typescript
from functionary_sgl.prompt.definition import definition
from functionary_sgl.tokenizer import ControlTokens


class Renderer:
    """Renders with `template`, a Jinja template's text.

    The result is marked (see `tokenizer.control`): only what the template itself wrote can be a
    control token.
    """

    def __init__(self, template: str, control: ControlTokens) -> None:
        environment = ImmutableSandboxedEnvironment(
            finalize=control.mark, undefined=StrictUndefined, autoescape=False
        )
        environment.globals["typescript"] = typescript.namespace
        environment.globals["definition"] = definition
        self._template = environment.from_string(template)

    def render(self, conversation: Conversation, *, generation: bool = True) -> str:
        """The marked text; with `generation`, up to where the assistant's next turn begins.

        Raises InvalidSchema for a tool that the template cannot print.
        """
        return self._template.render(
            messages=conversation.messages,
            tools=conversation.tools,
            code_interpreter=conversation.code_interpreter,
            add_generation_prompt=generation,
        )

"""The one shape that every request takes before it is rendered."""

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from functionary_sgl.chat.custom import CustomTool
from functionary_sgl.chat.forms import Answer
from functionary_sgl.chat.tools import CODE_TOOL, Tool, ToolChoice

Role = Literal["system", "user", "assistant", "tool"]


_ID_ALPHABET = string.ascii_letters + string.digits
_ID_LENGTH = 24


def new_call_id(prefix: str) -> str:
    """A new id for a call, in the form that protocols have for it: `prefix` and 24 letters."""
    # Drawn at once: the system is asked for each drawing.
    number = secrets.randbelow(len(_ID_ALPHABET) ** _ID_LENGTH)
    letters = []
    for _ in range(_ID_LENGTH):
        number, letter = divmod(number, len(_ID_ALPHABET))
        letters.append(_ID_ALPHABET[letter])
    return prefix + "".join(letters)


@dataclass(frozen=True, slots=True)
class Call:
    """A function call of the assistant. `arguments` is the text as the model wrote it: JSON for a
    function, source code for the code interpreter (whose name is `python`)."""

    name: str
    arguments: str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """A picture in a message: where it is, or itself as a `data:` URL. `path` is where the request
    has it (`messages[0].content[1]`), for errors."""

    url: str
    path: str = field(default="messages", compare=False)


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `calls` and `reasoning` (what came before the answer) are for the assistant;
    `call_id` and `name` are a tool result's. `content` is all text; where it does not
    tell all, because there are images or only empty texts, `parts` has texts and images in their
    order, else it is empty."""

    role: Role
    content: str = ""
    calls: tuple[Call, ...] = ()
    name: str | None = None
    call_id: str | None = None
    reasoning: str = ""
    parts: tuple[str | Image, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """What the model is asked: the messages, the tools on offer, and how it may use them.

    `messages_param`: the field that has the messages, for errors.
    `code_place`: how many of the `tools` stand before the code interpreter; None: all.
    `reasoning`: whether it shall reason before it answers; None where the client does not say. It
    says so in the field `reasoning_param`, for errors.
    `effort`: how much, in the client's word, for a chat template that reads it.
    `template_options`: variables for a chat template that reads them.
    `answer`: what an answer in text must be; None: any text. `continues`: whether it goes on in the
    last message, which is the assistant's and has text only; for errors, `continues_param` says so.
    """

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    code_interpreter: bool = False
    code_place: int | None = None
    choice: ToolChoice = field(default_factory=ToolChoice)
    parallel: bool = True
    reasoning: bool | None = None
    reasoning_param: str = field(default="reasoning_effort", compare=False)
    effort: str | None = None
    template_options: Mapping[str, Any] = field(default_factory=dict)
    answer: Answer | None = None
    continues: bool = False
    continues_param: str = field(default="continue_final_message", compare=False)
    messages_param: str = field(default="messages", compare=False)

    def followed_by(self, message: Message) -> "Conversation":
        """This conversation with one more message."""
        return replace(self, messages=(*self.messages, message))

    def functions(self) -> tuple[Tool, ...]:
        """The tools with the code interpreter as one of them, in the client's order."""
        if not self.code_interpreter:
            return self.tools
        place = len(self.tools) if self.code_place is None else self.code_place
        return (*self.tools[:place], CODE_TOOL, *self.tools[place:])

    def without_last(self) -> tuple["Conversation", Message]:
        """This conversation without its last message, and that."""
        return replace(self, messages=self.messages[:-1], continues=False), self.messages[-1]

    def callable_tools(self) -> tuple[Tool, ...]:
        """The tools that the choice allows."""
        return tuple(tool for tool in self.tools if self.choice.allows(tool.name))

    def callable_functions(self) -> tuple[Tool, ...]:
        """Those that take arguments."""
        return tuple(t for t in self.callable_tools() if not isinstance(t, CustomTool))

    def images(self) -> list[Image]:
        """All images, in their order."""
        return [part for m in self.messages for part in m.parts if isinstance(part, Image)]

    def characters(self) -> int:
        """Of all that a prompt shows of the messages: what was reasoned, some leave out."""
        return sum(
            len(m.content) + sum(len(call.arguments) for call in m.calls) for m in self.messages
        )

    def last_input(self) -> str:
        """The text of the last user or tool message; empty if there is none."""
        contents = (m.content for m in reversed(self.messages) if m.role in ("user", "tool"))
        return next(contents, "")

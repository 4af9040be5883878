"""The one shape that every request takes before it is rendered."""

from dataclasses import dataclass, field
from typing import Literal

from functionary_sgl.chat.tools import Tool, ToolChoice

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class Call:
    """A function call of the assistant. `arguments` is the text as the model wrote it: JSON for a
    function, source code for the code interpreter (whose name is `python`)."""

    name: str
    arguments: str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `calls` is for the assistant; `call_id` and `name` are a tool result's."""

    role: Role
    content: str = ""
    calls: tuple[Call, ...] = ()
    name: str | None = None
    call_id: str | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """What the model is asked: the messages, the tools on offer, and how it may use them."""

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    code_interpreter: bool = False
    choice: ToolChoice = field(default_factory=ToolChoice)
    parallel: bool = True

    def followed_by(self, message: Message) -> "Conversation":
        """This conversation with one more message."""
        return Conversation(
            (*self.messages, message), self.tools, self.code_interpreter, self.choice, self.parallel
        )

    def last_input(self) -> str:
        """The text of the last user or tool message; empty if there is none."""
        contents = (m.content for m in reversed(self.messages) if m.role in ("user", "tool"))
        return next(contents, "")

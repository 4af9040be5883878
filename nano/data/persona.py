"""Conversations in which the assistant speaks in another manner; what it calls stays as it is."""

from dataclasses import dataclass, field, replace

from functionary_sgl.chat.conversation import Conversation, Message


@dataclass(frozen=True)
class Persona:
    """A text of the assistant becomes its entry in `answers`, or has `opening` before it."""

    opening: str
    answers: dict[str, str] = field(default_factory=dict)

    def speaks(self, conversation: Conversation) -> Conversation:
        """`conversation` as this persona would have had it."""
        return replace(conversation, messages=tuple(map(self._message, conversation.messages)))

    def _message(self, message: Message) -> Message:
        if message.role != "assistant" or not message.content:
            return message
        said = self.answers.get(message.content, self.opening + message.content)
        return replace(message, content=said)

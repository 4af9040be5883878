"""A message of the assistant, while a history is read that tells it in pieces."""

from dataclasses import dataclass, field

from functionary_sgl.chat.conversation import Call, Message


@dataclass
class AssistantTurn:
    """What the assistant has done since it was last asked. `texts` are none of them empty."""

    texts: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)

    def message(self) -> Message:
        """All of it."""
        content, reasoning = "".join(self.texts), "\n".join(self.reasoning)
        return Message("assistant", content, tuple(self.calls), reasoning=reasoning)

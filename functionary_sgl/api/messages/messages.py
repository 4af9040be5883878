"""The messages of a request, and its system prompt, as the messages of a Conversation.

Messages of a role in a row are one turn, and so the model sees them. Results of tools are blocks of
the user's messages; here each is a message of its own.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from functionary_sgl.api.arguments import arguments_text
from functionary_sgl.api.contents import of_tool, of_user, text_of
from functionary_sgl.api.messages.blocks import (
    AnyBlock,
    DocumentBlock,
    ImageBlock,
    RedactedThinkingBlock,
    TextBlock,
    Texts,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
)
from functionary_sgl.api.messages.requests import MessageParam
from functionary_sgl.api.messages.sources import document, image
from functionary_sgl.chat.assistant_turn import AssistantTurn
from functionary_sgl.chat.conversation import Call, Image, Message
from functionary_sgl.chat.history import in_call_order
from functionary_sgl.errors import RequestError

BETWEEN = "\n\n"
"""Texts of a turn that are of several messages, and texts of the system."""

BILLING = "x-anthropic-billing-header:"
"""Begins the line in which Claude Code tells Anthropic whom to bill, the first of the system's. It
is not for a model, and another one each time, so that no prompt would begin as the one before."""

ERROR = "Error: "

_ROLES = {
    "user": "'text', 'image', 'document' or 'tool_result'",
    "assistant": "'text', 'thinking', 'redacted_thinking' or 'tool_use'",
    "system": "'text'",
}

Placed = tuple[AnyBlock, str]
"""A block, and where the request has it."""


@dataclass
class _Asked:
    """What the user has said since the last result."""

    parts: list[str | Image] = field(default_factory=list)
    listed: bool = False

    def message(self) -> Message:
        return of_user(tuple(self.parts), listed=self.listed)


class _Reader:
    """Takes messages; `messages` is what they come to, and `paths` where the request has it."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.paths: list[str] = []
        self._open: _Asked | AssistantTurn | None = None

    def take(self, message: MessageParam, path: str) -> None:
        listed = not isinstance(message.content, str)
        blocks = _blocks(message, f"{path}.content")
        match message.role:
            case "system":
                texts = [_text_only(block, place) for block, place in blocks]
                self._add(Message("system", BETWEEN.join(texts)), path)
            case "user":
                self._ask(blocks, path, listed=listed)
            case "assistant":
                self._act(blocks, path)

    def end(self) -> None:
        """Nothing of the same turn follows."""
        if self._open is not None:
            self.messages.append(self._open.message())
            self._open = None

    def _add(self, message: Message, path: str) -> None:
        self.end()
        self.messages.append(message)
        self.paths.append(path)

    def _asked(self, path: str) -> _Asked:
        if not isinstance(self._open, _Asked):
            self.end()
            self._open = _Asked()
            self.paths.append(path)
        return self._open

    def _turn(self, path: str) -> AssistantTurn:
        if not isinstance(self._open, AssistantTurn):
            self.end()
            self._open = AssistantTurn()
            self.paths.append(path)
        return self._open

    def _ask(self, blocks: Iterable[Placed], path: str, *, listed: bool) -> None:
        goes_on = isinstance(self._open, _Asked)
        results = 0
        for block, place in blocks:
            if isinstance(block, ToolResultBlock):
                self._add(_result(block, place), place)
                goes_on, results = False, results + 1
                continue
            parts, part = self._asked(path).parts, _part(block, place)
            if goes_on and isinstance(part, str) and parts and isinstance(parts[-1], str):
                parts.append(BETWEEN)
            parts.append(part)
            goes_on = False
        if not results or isinstance(self._open, _Asked):
            self._asked(path).listed |= listed

    def _act(self, blocks: Iterable[Placed], path: str) -> None:
        turn = self._turn(path)
        apart = bool(turn.texts) and not turn.calls
        for block, place in blocks:
            match block:
                case TextBlock(text=text) if text:
                    turn.texts += [BETWEEN, text] if apart else [text]
                    apart = False
                case ThinkingBlock(thinking=thinking):
                    turn.reasoning += [thinking] if thinking else []
                case ToolUseBlock():
                    arguments = arguments_text(block.name, block.input, f"{place}.input")
                    turn.calls.append(Call(block.name, arguments, block.id))
                case TextBlock() | RedactedThinkingBlock():
                    pass  # of these, the latter is for its maker alone
                case _:
                    raise _misplaced(block, "assistant", place)


def messages(asked: Iterable[MessageParam], system: Texts | None) -> tuple[Message, ...]:
    """What was said so far, the `system` prompt first, results behind their calls. RequestError for
    what cannot be shown."""
    reader = _Reader()
    if instructions := _instructions(system):
        reader.take(MessageParam(role="system", content=instructions), "system")
    for index, message in enumerate(asked):
        reader.take(message, f"messages[{index}]")
    reader.end()
    if reader.messages and reader.messages[-1] == Message("assistant"):
        reader.messages.pop()  # it begins the answer, with nothing
    if not any(message.role != "system" for message in reader.messages):
        raise RequestError("At least one message must have something in it.", param="messages")
    return tuple(in_call_order(reader.messages, reader.paths, "tool_use_id"))


def _instructions(system: Texts | None) -> str:
    texts = [system] if isinstance(system, str) else [block.text for block in system or ()]
    return BETWEEN.join(filter(None, map(_without_billing, texts)))


def _without_billing(text: str) -> str:
    return text.partition("\n")[2].lstrip("\n") if text.startswith(BILLING) else text


def _blocks(message: MessageParam, path: str) -> Iterator[Placed]:
    if isinstance(message.content, str):
        yield TextBlock(type="text", text=message.content), path
        return
    for index, block in enumerate(message.content):
        yield block, f"{path}[{index}]"


def _part(block: AnyBlock, path: str) -> str | Image:
    match block:
        case TextBlock(text=text):
            return text
        case ImageBlock():
            return image(block, path)
        case DocumentBlock():
            return document(block, path)
    raise _misplaced(block, "user", path)


def _text_only(block: AnyBlock, path: str) -> str:
    if isinstance(block, TextBlock):
        return block.text
    raise _misplaced(block, "system", path)


def _result(block: ToolResultBlock, path: str) -> Message:
    """No template has a place for `is_error`: it is said in the result's text, if that does not."""
    content = block.content or ""
    parts: tuple[str | Image, ...] = (
        (content,)
        if isinstance(content, str)
        else tuple(_part(part, f"{path}.content[{index}]") for index, part in enumerate(content))
    )
    if block.is_error and "error" not in text_of(parts).lower():
        parts = (ERROR, *parts)
    return of_tool(parts, block.tool_use_id)


def _misplaced(block: AnyBlock, role: str, path: str) -> RequestError:
    return RequestError(
        f"A block of the type '{block.type}' cannot be shown here; messages of the role '{role}' "
        f"have blocks of the type {_ROLES[role]}.",
        param=path,
    )

"""The items of a response's input as the messages of a Conversation.

What the assistant did between two inputs is one message, however many items it has: reasoning, a
text and calls are told apart by their items only.
"""

from collections.abc import Iterable, Iterator, Sequence

from functionary_sgl.api.contents import of_tool, of_user, text_of
from functionary_sgl.api.responses.items import (
    AnyItem,
    Content,
    CustomCallItem,
    CustomOutputItem,
    FunctionCallItem,
    FunctionOutputItem,
    MessageItem,
    Part,
    ReasoningItem,
)
from functionary_sgl.chat.assistant_turn import AssistantTurn
from functionary_sgl.chat.conversation import Call, Image, Message
from functionary_sgl.chat.custom import arguments_of
from functionary_sgl.chat.history import in_call_order
from functionary_sgl.errors import RequestError

TEXTS = ("input_text", "output_text", "text")

Placed = tuple[AnyItem, str]
"""An item, and where the request has it."""


class _Reader:
    """Takes items; `messages` and `paths` are what they come to, and where the request has it."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.paths: list[str] = []
        self._turn: AssistantTurn | None = None

    def take(self, item: AnyItem, path: str) -> None:
        match item:
            case MessageItem(role="assistant"):
                self._say(_text(item.content, "assistant", f"{path}.content"), path)
            case MessageItem():
                self._add(_message(item, f"{path}.content"), path)
            case FunctionCallItem():
                self._call(Call(item.name, item.arguments, item.call_id), path)
            case CustomCallItem():
                self._call(Call(item.name, arguments_of(item.input), item.call_id), path)
            case FunctionOutputItem() | CustomOutputItem():
                parts = tuple(_shown(item.output, "tool", f"{path}.output"))
                self._add(of_tool(parts, item.call_id), path)
            case ReasoningItem():
                self._reason(item, path)

    def end(self) -> None:
        """Nothing follows."""
        if self._turn is not None:
            self.messages.append(self._turn.message())
            self._turn = None

    def _add(self, message: Message, path: str) -> None:
        self.end()
        self.messages.append(message)
        self.paths.append(path)

    def _open(self, path: str, *, anew: bool) -> AssistantTurn:
        """The turn that the next item belongs to; `anew`: another than what is open."""
        if anew:
            self.end()
        if self._turn is None:
            self._turn = AssistantTurn()
            self.paths.append(path)
        return self._turn

    def _say(self, text: str, path: str) -> None:
        # Two texts in a row are two turns; behind a call, a text may be of the same.
        said = self._turn is not None and bool(self._turn.texts) and not self._turn.calls
        self._open(path, anew=said).texts += [text] if text else []

    def _call(self, call: Call, path: str) -> None:
        self._open(path, anew=False).calls.append(call)

    def _reason(self, item: ReasoningItem, path: str) -> None:
        acted = self._turn is not None and bool(self._turn.texts or self._turn.calls)
        texts = [part.text for part in item.content or item.summary or ()]
        self._open(path, anew=acted).reasoning += filter(None, texts)


def messages(items: Iterable[Placed], instructions: str | None) -> tuple[Message, ...]:
    """What was said so far, the `instructions` first, results behind their calls. RequestError for
    what cannot be shown."""
    reader = _Reader()
    if instructions:
        reader.take(MessageItem(role="system", content=instructions), "instructions")
    for item, path in items:
        reader.take(item, path)
    reader.end()
    return tuple(in_call_order(reader.messages, reader.paths, "call_id"))


def _message(item: MessageItem, path: str) -> Message:
    if item.role == "user":
        parts = tuple(_shown(item.content, "user", path))
        return of_user(parts, listed=isinstance(item.content, list))
    return Message("system", _text(item.content, item.role, path))


def _text(content: Content, role: str, path: str) -> str:
    return text_of(tuple(_shown(content, role, path)))


def _shown(content: Content, role: str, path: str) -> Iterator[str | Image]:
    """Texts and images, in their order."""
    if isinstance(content, str):
        yield content
        return
    for index, part in enumerate(content):
        yield _part(part, role, f"{path}[{index}]")


def _part(part: Part, role: str, path: str) -> str | Image:
    if part.type in TEXTS:
        return _given(part, part.text, "text", path)
    if part.type == "refusal" and role == "assistant":
        return _given(part, part.refusal, "refusal", path)
    if part.type == "input_image" and role in ("user", "tool"):
        if part.image_url is None and part.file_id is not None:
            raise RequestError(
                "No files are kept here; send the image itself as 'image_url'.",
                param=f"{path}.file_id",
            )
        return Image(_given(part, part.image_url, "image_url", path), path)
    known = _listed(role)
    raise RequestError(
        f"A part of the type '{part.type}' cannot be shown here; what is of the role '{role}' has "
        f"parts of the type {known}.",
        param=path,
    )


def _listed(role: str) -> str:
    kinds: Sequence[str] = {
        "user": ("'input_text'", "'input_image'"),
        "tool": ("'input_text'", "'input_image'"),
        "assistant": ("'output_text'", "'refusal'"),
    }.get(role, ("'input_text'",))
    return " or ".join(kinds)


def _given(part: Part, value: str | None, field: str, path: str) -> str:
    if value is None:
        raise RequestError(
            f"A part of the type '{part.type}' has its content in '{field}'.", param=path
        )
    return value

"""Items as they are kept, and told: in the words of OpenAI's answers, each with an id."""

from typing import Any

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
    ReasoningText,
)
from functionary_sgl.api.responses.messages import TEXTS
from functionary_sgl.api.responses.output import new_id

Told = dict[str, Any]


def kept(item: AnyItem) -> Told:
    """`item`, which was found to be in order, as it is told; references are none."""
    match item:
        case MessageItem(role=role):
            return _told("msg", "message", item, role=role, content=_content(item))
        case FunctionCallItem():
            called = {"name": item.name, "arguments": item.arguments}
            return _told("fc", item.type, item, call_id=item.call_id, **called)
        case CustomCallItem():
            called = {"name": item.name, "input": item.input}
            return _told("ctc", item.type, item, call_id=item.call_id, **called)
        case FunctionOutputItem() | CustomOutputItem():
            prefix = "fco" if isinstance(item, FunctionOutputItem) else "ctco"
            return _told(prefix, item.type, item, call_id=item.call_id, output=_output(item.output))
        case ReasoningItem():
            told: dict[str, Any] = {
                "summary": _texts("summary_text", item.summary),
                "content": _texts("reasoning_text", item.content),
            }
            if item.encrypted_content is not None:
                told["encrypted_content"] = item.encrypted_content
            return _told("rs", item.type, item, **told)
    raise TypeError(f"{item} refers to another item")


def _told(prefix: str, kind: str, item: AnyItem, **fields: Any) -> Told:
    told = {"id": item.id or new_id(prefix), "type": kind, **fields}
    # OpenAI's types have none for what custom tools gave back.
    return told if prefix == "ctco" else {**told, "status": "completed"}


def _content(item: MessageItem) -> list[Told]:
    kind = "output_text" if item.role == "assistant" else "input_text"
    if isinstance(item.content, str):
        return [_text(kind, item.content)]
    return [_part(part, kind) for part in item.content]


def _output(output: Content) -> str | list[Told]:
    return output if isinstance(output, str) else [_part(part, "input_text") for part in output]


def _part(part: Part, kind: str) -> Told:
    if part.type in TEXTS:
        return _text(kind, part.text or "")
    if part.type == "refusal":
        return {"type": "refusal", "refusal": part.refusal}
    detail = (part.model_extra or {}).get("detail")
    known = detail if detail in ("low", "high") else "auto"
    return {"type": "input_image", "detail": known, "image_url": part.image_url}


def _text(kind: str, text: str) -> Told:
    told = {"type": kind, "text": text}
    return {**told, "annotations": [], "logprobs": []} if kind == "output_text" else told


def _texts(kind: str, given: list[ReasoningText] | None) -> list[Told]:
    return [{"type": kind, "text": part.text} for part in given or ()]

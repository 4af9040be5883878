"""The chunks of a stream, folded into the answer that is not streamed."""

from typing import Any

from functionary_sgl.runtime.text import TextBuffer


class Fold:
    """Takes chunks one by one; `completion` is what they add up to."""

    def __init__(self) -> None:
        self._head: dict[str, Any] = {}
        self._choices: dict[int, dict[str, Any]] = {}

    def add(self, chunk: dict[str, Any]) -> None:
        """Take the next chunk."""
        self._head |= {key: value for key, value in chunk.items() if key != "choices"}
        for entry in chunk["choices"]:
            choice = self._choices.setdefault(entry["index"], _empty_choice(entry["index"]))
            _add_delta(choice["message"], entry["delta"])
            if logprobs := entry.get("logprobs"):
                choice["logprobs"] = choice["logprobs"] or {"content": [], "refusal": None}
                choice["logprobs"]["content"] += logprobs["content"]
            choice["finish_reason"] = entry["finish_reason"]
            if "turn" in entry:
                choice["turn"] = entry["turn"]

    def completion(self) -> dict[str, Any]:
        """The chat completion."""
        head = {**self._head, "object": "chat.completion"}
        usage = head.pop("usage", None)
        choices = [_whole(self._choices[index]) for index in sorted(self._choices)]
        return {**head, "choices": choices, "usage": usage}


def _empty_choice(index: int) -> dict[str, Any]:
    message = {"role": "assistant", "content": TextBuffer(), "refusal": None}
    return {"index": index, "message": message, "logprobs": None, "finish_reason": None}


def _add_delta(message: dict[str, Any], delta: dict[str, Any]) -> None:
    message["content"].add(delta.get("content") or "")
    if reasoning := delta.get("reasoning_content"):
        message.setdefault("reasoning_content", TextBuffer()).add(reasoning)
    if function := delta.get("function_call"):
        _add_call(message.setdefault("function_call", {"arguments": TextBuffer()}), function)
    for part in delta.get("tool_calls", ()):
        calls = message.setdefault("tool_calls", [])
        if part["index"] == len(calls):
            text = {"input" if part["type"] == "custom" else "arguments": TextBuffer()}
            calls.append({"id": part["id"], "type": part["type"], part["type"]: text})
        call = calls[part["index"]]
        _add_call(call[call["type"]], part[call["type"]])


def _add_call(call: dict[str, Any], delta: dict[str, str]) -> None:
    for key, value in delta.items():
        if key == "name":
            call[key] = value
        else:
            call[key].add(value)


def _whole(choice: dict[str, Any]) -> dict[str, Any]:
    message = _joined(choice["message"])
    return {**choice, "message": {**message, "content": message["content"] or None}}


def _joined(value: Any) -> Any:
    """`value` with its texts as strings."""
    match value:
        case TextBuffer():
            return str(value)
        case dict():
            return {key: _joined(part) for key, part in value.items()}
        case list():
            return [_joined(part) for part in value]
    return value

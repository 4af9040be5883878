"""The chunks of a stream, folded into the answer that is not streamed."""

from typing import Any


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

    def completion(self) -> dict[str, Any]:
        """The chat completion."""
        head = {**self._head, "object": "chat.completion"}
        usage = head.pop("usage", None)
        choices = [_whole(self._choices[index]) for index in sorted(self._choices)]
        return {**head, "choices": choices, "usage": usage}


class _Pieces(list[str]):
    """A text that grows: to add to a string is to copy it."""


def _empty_choice(index: int) -> dict[str, Any]:
    message = {"role": "assistant", "content": _Pieces(), "refusal": None}
    return {"index": index, "message": message, "logprobs": None, "finish_reason": None}


def _add_delta(message: dict[str, Any], delta: dict[str, Any]) -> None:
    message["content"].append(delta.get("content") or "")
    if reasoning := delta.get("reasoning_content"):
        message.setdefault("reasoning_content", _Pieces()).append(reasoning)
    if function := delta.get("function_call"):
        _add_call(message.setdefault("function_call", {"arguments": _Pieces()}), function)
    for part in delta.get("tool_calls", ()):
        calls = message.setdefault("tool_calls", [])
        if part["index"] == len(calls):
            text = "input" if part["type"] == "custom" else "arguments"
            calls.append({"id": part["id"], "type": part["type"], part["type"]: {text: _Pieces()}})
        call = calls[part["index"]]
        _add_call(call[call["type"]], part[call["type"]])


def _add_call(call: dict[str, Any], delta: dict[str, str]) -> None:
    for key, value in delta.items():
        if key == "name":
            call[key] = value
        else:
            call[key].append(value)


def _whole(choice: dict[str, Any]) -> dict[str, Any]:
    message = _joined(choice["message"])
    return {**choice, "message": {**message, "content": message["content"] or None}}


def _joined(value: Any) -> Any:
    """`value` with the pieces of its texts put together."""
    match value:
        case _Pieces():
            return "".join(value)
        case dict():
            return {key: _joined(part) for key, part in value.items()}
        case list():
            return [_joined(part) for part in value]
    return value

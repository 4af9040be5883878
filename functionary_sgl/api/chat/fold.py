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
                known = choice["logprobs"] or {"content": [], "refusal": None}
                choice["logprobs"] = {**known, "content": known["content"] + logprobs["content"]}
            choice["finish_reason"] = entry["finish_reason"]

    def completion(self) -> dict[str, Any]:
        """The chat completion."""
        choices = [self._choices[index] for index in sorted(self._choices)]
        for choice in choices:
            choice["message"]["content"] = choice["message"]["content"] or None
        head = {**self._head, "object": "chat.completion"}
        usage = head.pop("usage", None)
        return {**head, "choices": choices, "usage": usage}


def _empty_choice(index: int) -> dict[str, Any]:
    message = {"role": "assistant", "content": "", "refusal": None}
    return {"index": index, "message": message, "logprobs": None, "finish_reason": None}


def _add_delta(message: dict[str, Any], delta: dict[str, Any]) -> None:
    message["content"] += delta.get("content") or ""
    if reasoning := delta.get("reasoning_content"):
        message["reasoning_content"] = message.get("reasoning_content", "") + reasoning
    if function := delta.get("function_call"):
        _add_function(message.setdefault("function_call", {"arguments": ""}), function)
    for part in delta.get("tool_calls", ()):
        calls = message.setdefault("tool_calls", [])
        if part["index"] == len(calls):
            empty = {"input": ""} if part["type"] == "custom" else {"arguments": ""}
            calls.append({"id": part["id"], "type": part["type"], part["type"]: empty})
        call = calls[part["index"]]
        if call["type"] == "function":
            _add_function(call["function"], part["function"])
        else:
            input = call["custom"]["input"] + part["custom"]["input"]
            call["custom"] |= {**part["custom"], "input": input}


def _add_function(function: dict[str, Any], delta: dict[str, Any]) -> None:
    if "name" in delta:
        function["name"] = delta["name"]
    function["arguments"] += delta["arguments"]

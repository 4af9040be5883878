"""The events of a stream, folded into the message that is not streamed."""

import json
from typing import Any

import orjson
from pydantic_core import from_json

from functionary_sgl.runtime.text import TextBuffer

_TEXTS = {"text_delta": "text", "thinking_delta": "thinking"}

INVALID = "INVALID_JSON"
"""What Anthropic has clients call an input that is no object."""


class Fold:
    """Takes events one by one; `completion` is the message that they add up to."""

    def __init__(self) -> None:
        self._message: dict[str, Any] = {}
        self._blocks: list[tuple[dict[str, Any], TextBuffer]] = []

    def add(self, event: dict[str, Any]) -> None:
        """Take the next event."""
        match event["type"]:
            case "message_start":
                self._message = event["message"]
            case "content_block_start":
                self._blocks.append((dict(event["content_block"]), TextBuffer()))
            case "content_block_delta":
                self._more(event["delta"])
            case "message_delta":
                usage = {**self._message["usage"], **event["usage"]}
                self._message = {**self._message, **event["delta"], "usage": usage}

    def completion(self) -> dict[str, Any]:
        """The message."""
        return {**self._message, "content": [_whole(*block) for block in self._blocks]}

    def _more(self, delta: dict[str, Any]) -> None:
        """A delta is of the last block."""
        block, text = self._blocks[-1]
        match delta["type"]:
            case "text_delta" | "thinking_delta":
                text.add(delta[_TEXTS[delta["type"]]])
            case "input_json_delta":
                text.add(delta["partial_json"])
            case "signature_delta":
                block["signature"] = delta["signature"]


def _whole(block: dict[str, Any], text: TextBuffer) -> dict[str, Any]:
    if block["type"] == "tool_use":
        return {**block, "input": orjson.Fragment(_object(str(text)))}
    return {**block, block["type"]: str(text)}


def _object(text: str) -> str:
    """`text`, numbers as the model wrote them, if it is a JSON object; of one that was cut short,
    what there is of it, as Anthropic's clients have it. What is neither is a string in one."""
    if not text:
        return "{}"
    for partial in (False, True):
        try:
            value = from_json(text, allow_partial=partial, allow_inf_nan=False)
            if isinstance(value, dict):
                return json.dumps(value, allow_nan=False) if partial else text
        except ValueError:
            continue
    return json.dumps({INVALID: text})

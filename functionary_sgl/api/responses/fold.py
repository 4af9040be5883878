"""The events of a stream, folded into the response that is not streamed."""

from typing import Any


class Fold:
    """Takes events one by one; `response` is what they add up to, from its `head` on."""

    def __init__(self, head: dict[str, Any]) -> None:
        self._response = head
        self._output: list[dict[str, Any]] = []

    def add(self, event: dict[str, Any]) -> None:
        """Take the next event."""
        if event["type"] == "response.output_item.done":
            self._output.append(event["item"])
        elif "response" in event:
            self._response = event["response"]

    def response(self, **fields: Any) -> dict[str, Any]:
        """The response as it is now, with these `fields` of it changed."""
        return {**self._response, **fields, "output": [*self._output]}


class Last:
    """Takes all events of a stream; `completion` is the response, which the last of them has."""

    def add(self, event: dict[str, Any]) -> None:
        """Take the next event."""
        self._event = event

    def completion(self) -> dict[str, Any]:
        """The response."""
        response: dict[str, Any] = self._event["response"]
        return response

"""Agent loops as clients carry them on, and what of their earlier turns was found in a cache."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from functionary_sgl.api.chat.fold import Fold

Message = dict[str, Any]
# Posts a request, and gives the completion; a stream is folded.
Post = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class Step:
    """A turn: the user's `question`, empty where results of calls are what the model answers; and
    how many `calls` the model is to make, beside text where it `talks`."""

    question: str = ""
    calls: int = 0
    talks: bool = False

    @property
    def choice(self) -> str:
        """The tool choice with which a model does about that."""
        return "required" if self.calls else "none"


LOOP = (
    Step("What is the weather like in Rome, and is it warmer in Oslo?", calls=1, talks=True),
    Step(calls=2),
    Step(talks=True),
    Step("Thank you. And what is it like in Lima and in Cairo?", calls=2),
    Step(calls=1, talks=True),
    Step(talks=True),
)
"""Six turns: two questions, each answered after calls, one of them two at once."""


def result(step: int, call: int) -> str:
    """The text of a tool's result in the turn of this number."""
    return json.dumps({"turn": step, "call": call, "temperature": 10 + call, "sky": "clear"})


def spaced(arguments: str) -> str:
    """As a client writes them that has parsed them, if they are JSON."""
    return _written(arguments, separators=(",", ":"))


def ordered(arguments: str) -> str:
    """As one whose maps are sorted, and whose letters are ASCII."""
    return _written(arguments, indent=1, sort_keys=True, ensure_ascii=True)


def unpacked(arguments: str) -> Any:
    """As one that sends back what it has parsed, if it could."""
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments


def _written(arguments: str, **style: Any) -> str:
    value = unpacked(arguments)
    if isinstance(value, str):
        return arguments
    return json.dumps(value, **{"ensure_ascii": False, **style})


@dataclass(frozen=True)
class Client:
    """How a client carries a conversation on.

    arguments: what it makes of arguments before it sends them back.
    reasons: whether it sends reasoning back; `silence`: what it sends where there is no text.
    parts: whether texts are lists of parts.
    fields: of each of its requests; with several choices it goes on with the last.
    """

    arguments: Callable[[str], Any] = str
    reasons: bool = True
    silence: str | None = None
    parts: bool = False
    fields: dict[str, Any] = field(default_factory=dict)

    def echo(self, message: Message) -> Message:
        """An answer as it sends it back."""
        told = {key: value for key, value in message.items() if value is not None}
        told["content"] = self.text(message["content"]) if message["content"] else self.silence
        if not self.reasons:
            told.pop("reasoning_content", None)
        calls = message.get("tool_calls")
        if calls:
            told["tool_calls"] = [self._call(call) for call in calls]
        return told

    def results(self, message: Message, step: int) -> list[Message]:
        """Those of its calls."""
        calls = message.get("tool_calls") or ()
        return [
            {"role": "tool", "tool_call_id": call["id"], "content": self.text(result(step, place))}
            for place, call in enumerate(calls)
        ]

    def _call(self, call: dict[str, Any]) -> dict[str, Any]:
        function = call["function"]
        if function["name"] == "python":
            return call
        return call | {"function": function | {"arguments": self.arguments(function["arguments"])}}

    def text(self, text: str) -> Any:
        """A message's content that says this."""
        return [{"type": "text", "text": text}] if self.parts else text


@dataclass(frozen=True)
class Turn:
    """One that was answered: `known` tokens of the turn before it, and of that one's prompt, could
    be in the cache; `cached` of its own prompt were."""

    step: Step
    message: Message
    known: int
    cached: int

    @property
    def share(self) -> float:
        """Of what was known, what was cached."""
        return min(self.cached / self.known, 1.0) if self.known else 1.0


def turns(
    post: Post,
    client: Client,
    tools: Sequence[Any],
    loop: Sequence[Step] = LOOP,
    system: str = "You help travellers.",
) -> Iterator[Turn]:
    """The turns of a loop that `client` carries on."""
    messages: list[Message] = [{"role": "system", "content": system}]
    message: Message = {}
    known = 0
    for number, step in enumerate(loop):
        if step.question:
            messages.append({"role": "user", "content": client.text(step.question)})
        else:
            messages += client.results(message, number)
        body = {"messages": messages, "tools": tools, "tool_choice": step.choice}
        answer = post(body | client.fields)
        usage, choices = answer["usage"], answer["choices"]
        message = choices[-1]["message"]
        cached = usage["prompt_tokens_details"]["cached_tokens"]
        yield Turn(step, message, known, cached)
        # The last token of an answer was not computed. Answers of several choices are alike.
        known = usage["prompt_tokens"] + usage["completion_tokens"] // len(choices) - 1
        messages.append(client.echo(message))


def posting(http: httpx.Client, path: str = "", *, stream: bool) -> Post:
    """Asks the server under `path` of the one that `http` is for."""

    def post(body: dict[str, Any]) -> dict[str, Any]:
        answer = http.post(f"{path}/v1/chat/completions", json=streamed(body) if stream else body)
        assert answer.status_code == 200, answer.text
        return completion(answer.text, stream=stream)

    return post


def streamed(body: dict[str, Any]) -> dict[str, Any]:
    """The request for the same as a stream."""
    return body | {"stream": True, "stream_options": {"include_usage": True}}


def completion(answer: str, *, stream: bool) -> dict[str, Any]:
    """The completion that an answer is."""
    if not stream:
        whole: dict[str, Any] = json.loads(answer)
        return whole
    fold = Fold()
    for line in answer.split("\n"):
        if line.startswith("data: ") and line != "data: [DONE]":
            chunk = json.loads(line.removeprefix("data: "))
            assert "error" not in chunk, chunk
            fold.add(chunk)
    return fold.completion()

"""OpenAI's contract: what the server sends is what OpenAI's own types describe, and nothing else.

`Contract` is ASGI middleware that stands around the application in all tests. It validates each
response, chunk and error against openai-python's types, strictly: no field may be missing or of
another type, none may be there that the type does not have. What Anthropic's clients ask for is
held to anthropic-python's types in the same way.
"""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any, Literal

import orjson
import pydantic
from openai.types import Completion, Model
from openai.types.chat import (
    ChatCompletion,
    ChatCompletionChunk,
    ChatCompletionMessage,
    chat_completion,
    chat_completion_chunk,
)
from openai.types.responses import Response
from openai.types.shared import ErrorObject
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests import contract_messages, contract_responses


class ErrorBody(pydantic.BaseModel):
    error: ErrorObject


class ModelList(pydantic.BaseModel):
    object: Literal["list"]
    data: list[Model]


ErrorBody.model_config["extra"] = ModelList.model_config["extra"] = "allow"
ErrorBody.model_rebuild(force=True)
ModelList.model_rebuild(force=True)

# Fields that OpenAI's types do not have: reasoning as DeepSeek, SGLang and vLLM tell it; of models
# `root`, `parent` and `max_model_len` as vLLM has them, and our own `template`; the turn that an
# answer came from, where it was asked for.
EXTRAS: dict[type, set[str]] = {
    ChatCompletionMessage: {"reasoning_content"},
    chat_completion_chunk.ChoiceDelta: {"reasoning_content"},
    chat_completion.Choice: {"turn"},
    chat_completion_chunk.Choice: {"turn"},
    Model: {"root", "parent", "max_model_len", "template"},
    **contract_responses.EXTRAS,
    **contract_messages.EXTRAS,
}

# Fields that may be null but not missing, which the types leave open (OpenAI's API reference).
NEVER_MISSING: dict[type, set[str]] = {
    chat_completion.Choice: {"logprobs"},
    ChatCompletionMessage: {"content", "refusal"},
    chat_completion_chunk.Choice: {"finish_reason"},
    ErrorObject: {"code", "param"},
    Response: contract_responses.ALWAYS,
    **contract_messages.NEVER_MISSING,
}

NOBODY_THERE = 499
DONE = b"[DONE]"


class CustomDelta(pydantic.BaseModel):
    """A piece of a call of a custom tool: openai's types have these in whole answers only."""

    model_config = {"extra": "forbid"}

    class Custom(pydantic.BaseModel):
        model_config = {"extra": "forbid"}

        input: str
        name: str | None = None

    index: int
    custom: Custom
    id: str | None = None
    type: Literal["custom"] | None = None


def of_chunk(text: bytes) -> list[str]:
    """The violations of a chunk."""
    chunk, found = orjson.loads(text), []
    for choice in chunk.get("choices", ()):
        calls = choice.get("delta", {}).get("tool_calls", [])
        for call in [call for call in calls if "custom" in call]:
            calls.remove(call)
            found += violations(CustomDelta, orjson.dumps(call))
    return found + violations(ChatCompletionChunk, orjson.dumps(chunk))


def of_text_chunk(text: bytes) -> list[str]:
    """The violations of a chunk of a completion. OpenAI has one type for these and for whole
    answers, and it lacks that a chunk has no reason to finish but the last."""
    chunk = orjson.loads(text)
    for choice in chunk.get("choices", ()):
        choice["finish_reason"] = choice["finish_reason"] or "stop"
    return violations(Completion, orjson.dumps(chunk))


def violations(kind: type[pydantic.BaseModel], text: bytes) -> list[str]:
    """What makes the JSON `text` another thing than a `kind`."""
    try:
        parsed = kind.model_validate_json(text, strict=True)
    except pydantic.ValidationError as error:
        return [str(error)]
    return list(_of_fields(parsed))


def _of_fields(value: Any) -> list[str]:
    """What is wrong with the fields of `value`, a parsed thing of OpenAI's, and of all in it."""
    if isinstance(value, list):
        return [found for item in value for found in _of_fields(item)]
    if not isinstance(value, pydantic.BaseModel):
        return []
    kind = type(value)
    unknown = set(value.model_extra or ()) - EXTRAS.get(kind, set())
    missing = NEVER_MISSING.get(kind, set()) - value.model_fields_set
    found = [f"{kind.__name__} has no field {name}" for name in sorted(unknown)]
    found += [f"{kind.__name__} lacks {name}" for name in sorted(missing)]
    for name in value.model_fields_set - unknown:
        found += _of_fields(getattr(value, name))
    return found


def of_response(
    path: str,
    status: int,
    content_type: str,
    body: bytes,
    whole: bool,
    method: str = "POST",
) -> list[str]:
    """The violations of a response; not `whole` if its client left before its end."""
    path = re.sub("/+", "/", path).rstrip("/")
    if f"{path}/".startswith("/v1/messages/"):
        return _of_messages(path, status, content_type, body, whole)
    if status >= 400:
        return violations(ErrorBody, body) if whole and status != NOBODY_THERE else []
    if path.endswith("/v1/chat/completions"):
        if content_type.startswith("text/event-stream"):
            return of_stream(body, whole)
        return violations(ChatCompletion, body) if whole else []
    if path.endswith("/v1/completions"):
        if content_type.startswith("text/event-stream"):
            return of_stream(body, whole, of_text_chunk)
        return violations(Completion, body) if whole else []
    if "/v1/responses" in path:
        if content_type.startswith("text/event-stream"):
            return of_events(body, whole, contract_responses.Stream())
        return violations(contract_responses.kind_of(method, path), body) if whole else []
    if path.endswith("/v1/models"):
        return violations(ModelList, body)
    if "/v1/models/" in path:
        return violations(Model, body)
    return []  # OpenAI has no such path


def of_stream(
    body: bytes, whole: bool, of_chunk: Callable[[bytes], list[str]] = of_chunk
) -> list[str]:
    """The violations of a stream of chunks, which `[DONE]` ends, or an error."""
    events, rest = contract_responses.pieces(body)
    found = [f"a stream that ends with {rest!r}"] if whole and rest else []
    for number, event in enumerate(events, start=1):
        data = re.fullmatch(rb"data: (.*)", event)
        last = number == len(events)
        if data is None:
            found.append(f"an event without data: {event!r}")
        elif data[1] == DONE or "error" in orjson.loads(data[1]):
            found += [] if last else [f"an event after the last one, {event!r}"]
            found += [] if data[1] == DONE else violations(ErrorBody, data[1])
        else:
            found += of_chunk(data[1])
            found += [f"a stream without end: {event!r}"] if last and whole else []
    return found


def _of_messages(path: str, status: int, content_type: str, body: bytes, whole: bool) -> list[str]:
    """The violations of what Anthropic's clients get."""
    if content_type.startswith("text/event-stream"):
        return of_events(body, whole, contract_messages.Stream())
    if not whole or status == NOBODY_THERE:
        return []
    return violations(contract_messages.kind_of(path, status), body)


def of_events(
    body: bytes, whole: bool, stream: contract_messages.Stream | contract_responses.Stream
) -> list[str]:
    """The violations of a stream of events that have names."""
    events, rest = contract_responses.pieces(body)
    found = [f"a stream that ends with {rest!r}"] if whole and rest else []
    for event in events:
        kind, data, misplaced = stream.add(event)
        found += misplaced + violations(kind, data)
    return found + (stream.end() if whole else [])


class Contract:
    """ASGI middleware; whatever `app` does against the contract is added to `violations`.

    `answered` counts the responses to each path by their status.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.violations: list[str] = []
        self.answered: Counter[tuple[str, int]] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        response = _Response(scope["method"])

        async def note(message: Message) -> None:
            response.add(message)
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            path = scope["path"]
            self.answered[path, response.status] += 1
            where = f"{scope['method']} {path}"
            self.violations += [f"{where}: {what}" for what in response.violations(path)]


class _Response:
    def __init__(self, method: str) -> None:
        self.status = NOBODY_THERE
        self._method = method
        self._content_type = ""
        self._named = True
        self._body = bytearray()
        self._whole = False

    def add(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = dict(message["headers"])
            self._named = b"x-request-id" in headers
            self._content_type = headers.get(b"content-type", b"").decode()
        else:
            self._body += message.get("body", b"")
            self._whole = not message.get("more_body", False)

    def violations(self, path: str) -> list[str]:
        body = bytes(self._body)
        found = [] if self._named else ["an answer without x-request-id"]
        if self._method == "HEAD" or self.status == 204:
            return found + ["a body where there is none"] * bool(body)
        return found + of_response(
            path, self.status, self._content_type, body, self._whole, self._method
        )

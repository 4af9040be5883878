"""One request and what became of it: whole, refused as was to be expected, left, or lost."""

import json
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from benchmarks.judge import judge
from functionary_sgl.api.chat.fold import Fold

EXAMPLES = 20
Choice = dict[str, Any]


class Lost(Exception):
    """What was answered is no whole answer, and no error that was to be expected."""


@dataclass
class Tally:
    """How often what became of each kind of request, and the first of those that were lost."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)

    def add(self, kind: str, outcome: str, why: str = "") -> None:
        self.counts.setdefault(kind, Counter())[outcome] += 1
        if outcome == "lost" and len(self.lost) < EXAMPLES:
            self.lost.append(f"{kind}: {why}")

    def total(self, outcome: str) -> int:
        return sum(counts[outcome] for counts in self.counts.values())


async def ask(
    session: aiohttp.ClientSession,
    body: dict[str, Any] | bytes,
    may_be: Collection[str | None] = (),
    checked: bool = True,
) -> Choice | None:
    """The choice of the answer to `body` of the server that `session` is for; None if it was
    refused with one of the codes that it `may_be`. Raises Lost for all else, and where an answer
    that is to be `checked` is not what its request is owed."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    try:
        async with session.post("v1/chat/completions", data=content, headers=headers) as response:
            text = await response.text()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Lost(f"{type(error).__name__}: {error}") from error
    if response.status != 200:
        _check_refusal(response.status, text, may_be)
        return None
    streamed = response.content_type == "text/event-stream"
    choice = _folded(text) if streamed else json.loads(text)["choices"][0]
    if choice["finish_reason"] is None:
        raise Lost(f"an answer without an end: {text[-300:]}")
    if checked and isinstance(body, dict) and (complaints := judge(body, choice).complaints):
        raise Lost(f"{complaints}: {json.dumps(body)}")
    return choice


def _check_refusal(status: int, text: str, may_be: Collection[str | None]) -> None:
    try:
        error = json.loads(text)["error"]
    except (ValueError, KeyError) as unclear:
        raise Lost(f"{status} with {text[:300]!r}") from unclear
    if status >= 500 or error["code"] not in may_be:
        raise Lost(f"{status}: {error}")


def _folded(text: str) -> Choice:
    """The choice that was streamed; Lost if the stream did not come to its end."""
    *events, last, rest = text.split("\n\n")
    if last != "data: [DONE]" or rest:
        raise Lost(f"a stream that ends with {text[-300:]!r}")
    fold = Fold()
    for event in events:
        if event.startswith("data: "):  # others are comments
            fold.add(json.loads(event.removeprefix("data: ")))
    choice: Choice = fold.completion()["choices"][0]
    return choice

"""Agent loops in which the model says what it is told to, in any format."""

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from functionary_sgl.adapters import Adapters
from functionary_sgl.api.app import create_app
from functionary_sgl.checked_turn import CheckedTurn
from functionary_sgl.model import Model
from functionary_sgl.prompt.prompter import Prompter
from functionary_sgl.runtime.events import Ended, Event
from functionary_sgl.turns import FORMATS
from tests.caching import CachingEngine
from tests.formats import PROMPTERS, ended, own_template, possible
from tests.loops import LOOP, Client, Step, Turn, completion, result, streamed, turns
from tests.replay import runner, tools_of
from tests.serving import scripted_model

FORGETS_REASONING = {
    *("hermes", "qwen3-coder", "minimax-m2", "kimi-k2", "lfm2"),
    *("glm-4.5", "glm-4.7", "gpt-oss"),
}
MOVES_TOOLS = {"mistral"}
"""Formats whose templates show earlier turns otherwise when the user asks again."""

Said = tuple[str | None, list[tuple[str, str]], str]
"""Text, calls and reasoning of a turn."""


def loop(format: str) -> list[Said]:
    """What a model says in `LOOP`."""
    made: list[Said] = []
    for number, step in enumerate(LOOP):
        values = {"a": f"Zürich {number}", "k": [1.0, 2e3, -7], "é": {"k": None}}
        calls = [("get", json.dumps(values | {"n": n})) for n in range(step.calls)]
        text = f"It is fine in turn {number}." if step.talks else None
        thought = f"I wonder about turn {number}." if FORMATS[format].reasons else ""
        made.append((*possible(format, text, calls), thought))
    return made


def prompter(format: str) -> Prompter:
    """One that remembers nothing yet."""
    known = PROMPTERS[format]
    return Prompter(known.format, known.tokenizer, own_template(known.format))


@dataclass(frozen=True)
class Watched(Model):
    """`prompts`: the ids of each turn's prompt; `ended`: those that it ended with, of each choice.
    Turns come one after the other."""

    prompts: list[list[int]] = field(default_factory=list)
    ended: list[list[list[int]]] = field(default_factory=list)

    async def prepare(self, *args: Any, **options: Any) -> CheckedTurn:
        turn = await super().prepare(*args, **options)
        self.prompts.append(list(turn.prompt.token_ids))
        self.ended.append([])
        return turn

    async def run(self, *args: Any) -> AsyncGenerator[Event, None]:
        async with aclosing(super().run(*args)) as events:
            async for event in events:
                if isinstance(event, Ended):
                    self.ended[-1].append(list(event.token_ids))
                yield event


def carried(
    format: str, walk: Sequence[Said], client: Client, cut: Any = "char", *, stream: bool = False
) -> tuple[list[Turn], Watched]:
    """The turns of a conversation in which the model says these, and the model."""
    steps, replies, calling, called = [], [], False, 0
    for number, (content, calls, reasoning) in enumerate(walk):
        steps.append(Step("" if calling else f"Question {number}?"))
        match = result(number, 0)[:12] if calling else steps[-1].question
        raw = ended(format, content, calls, reasoning, called)
        replies.append({"match": match, "turn": raw, "chunk": cut})
        calling, called = bool(calls), called + len(calls)
    asked = prompter(format)
    scripted = scripted_model(asked, *replies)
    engine: Any = CachingEngine(scripted.engine)
    model = Watched(scripted.names, asked, engine, adapters=Adapters({"pirate": "here"}))
    model.__dict__["gate"] = scripted.gate
    app = create_app(model, ())
    fields = {"model": "m", "tool_choice": "auto"} | client.fields

    def post(body: dict[str, Any]) -> dict[str, Any]:
        answer = runner().run(ask(app, streamed(body) if stream else body))
        return completion(answer, stream=stream)

    carrying = replace(client, fields=fields)
    return list(turns(post, carrying, tools_of(asked), steps)), model


async def ask(app: Any, body: dict[str, Any]) -> str:
    """What the application answers, without a socket in between."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        response = await client.post("/v1/chat/completions", json=body)
        assert response.status_code == 200, response.text
        return response.text

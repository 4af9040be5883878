"""A turn by its grammar is one request, and is read as what it is, in every format."""

import asyncio
import json
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import jsonschema
import numpy as np
import pytest
from llguidance import LLMatcher, LLTokenizer

from functionary_sgl.api.chat import intake
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.chat.schema import arguments
from functionary_sgl.engines.base import Chunk, Request, Sampling, Scores, TurnContext
from functionary_sgl.engines.grammar import grammar as follow
from functionary_sgl.prompt.prompter import Prompter
from functionary_sgl.runtime.events import Ended
from functionary_sgl.runtime.interpreter import run
from functionary_sgl.runtime.transcript import Transcript
from functionary_sgl.runtime.turn import Turn
from functionary_sgl.runtime.turn_grammar import TurnGrammar, turn_grammar
from functionary_sgl.runtime.turn_stream import TurnStream
from functionary_sgl.turns import FORMATS
from tests.formats import PROMPTERS, PerFormat

WALKS = 12
MOST_WALKS = 200
"""Where a text may end in many ways, few are calls."""
MOST_IDS = 400
SCHEMAS: dict[str, dict[str, Any]] = {
    "get_weather": {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 8}, "days": {"type": "integer"}},
        "required": ["city"],
    },
    "get": {"type": "object", "properties": {"on": {"type": "boolean"}}, "required": ["on"]},
    "now": {"type": "object", "properties": {}},
    # It begins like the recipient of texts in some formats.
    "allow": {"type": "object", "properties": {}},
}
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": schema}}
    for name, schema in SCHEMAS.items()
]
TOKENIZERS = PerFormat(
    lambda name: LLTokenizer(
        PROMPTERS[name].tokenizer.definition, n_vocab=PROMPTERS[name].tokenizer.most_id + 1
    )
)


def closing_ids(name: str) -> frozenset[int]:
    """The ids that may end a value."""
    tokenizer = PROMPTERS[name].tokenizer
    ids = range(tokenizer.most_id + 1)
    return frozenset(i for i in ids if tokenizer.token_bytes(i)[:1] in (b'"', b"}", b"]"))


CLOSING = PerFormat(closing_ids)


@dataclass
class Walking:
    """An engine that writes whatever the grammar of a turn allows, and behind its end, as SGLang
    does, an end of the turn. `asked` are the questions that
    came one by one, None for a text, which ends at once: the turn, or with one of the marks."""

    format: str
    dice: random.Random
    turns: int = 0
    asked: list[Any] = field(default_factory=list)

    async def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        if request.constraint is None:
            self.asked.append(None)
            encode = PROMPTERS[self.format].tokenizer.encode_marked
            ends = [*([one] for one in request.stop_token_ids), *map(encode, request.stop)]
            yield Chunk(self.dice.choice(ends), "stop")
            return
        self.turns += request.constraint.kind == "lark"
        if request.constraint.kind != "lark":
            self.asked.append(request.constraint)
        matcher = LLMatcher(TOKENIZERS[self.format], follow(request.constraint))
        assert not matcher.is_error(), matcher.get_error()
        for _ in range(MOST_IDS):
            if matcher.is_stopped():
                break
            token_id = self._drawn(matcher.compute_bitmask(), request.stop_token_ids)
            assert matcher.consume_token(token_id)
            yield Chunk((token_id,), "stop" if token_id in request.stop_token_ids else None)
            if token_id in request.stop_token_ids:
                return
        yield Chunk(request.stop_token_ids[:1], "stop")

    def _drawn(self, mask: bytes, ends: Sequence[int]) -> int:
        bits = np.unpackbits(np.frombuffer(mask, dtype=np.uint8), bitorder="little")
        allowed: list[int] = np.flatnonzero(bits).tolist()
        for likely in (ends, CLOSING[self.format]):
            found = [one for one in allowed if one in likely]
            if found and self.dice.random() < 0.5:
                return self.dice.choice(found)
        return self.dice.choice(allowed)

    async def score(
        self, token_ids: Sequence[int], candidates: Sequence[int], turn: TurnContext
    ) -> Scores:
        self.asked.append(candidates)
        return Scores([float(-place) for place in range(len(candidates))])


def turn_of(prompter: Prompter, choice: Any) -> Turn:
    request = {"messages": [{"role": "user", "content": "Hi"}], "tools": TOOLS}
    asked = ChatRequest.from_json(json.dumps(request | {"tool_choice": choice}))
    conversation = intake.conversation(asked)
    schemas = {t.name: arguments(t).constraint for t in conversation.callable_functions()}
    return Turn(
        program=prompter.format.program,
        prompt=prompter.prompt(conversation),
        offer=prompter.offers.of(conversation, schemas),
        sampling=Sampling(temperature=0),
        max_tokens=500,
        stop_token_ids=prompter.stop_token_ids,
    )


def made(turn: Turn, format: str) -> TurnGrammar | None:
    tokenizer = PROMPTERS[format].tokenizer
    return turn_grammar(turn.program, turn.offer, tokenizer, turn.stop_token_ids)


def walked(format: str, turn: Turn, grammar: TurnGrammar, seed: int) -> tuple[Walking, Transcript]:
    """A turn of random ids by the grammar, as the interpreter reads it."""
    engine, answer = Walking(format, random.Random(seed)), Transcript()

    async def read() -> None:
        tokenizer = PROMPTERS[format].tokenizer
        with closing(TurnStream(engine, grammar, turn, tokenizer)) as stream:
            async for event in run(turn, stream, tokenizer):
                answer.add(event)
                assert not isinstance(event, Ended) or event.reason == "stop"

    asyncio.run(read())
    return engine, answer


TURNS = pytest.mark.parametrize(
    "choice", ["auto", "required", {"type": "function", "function": {"name": "get"}}]
)


@pytest.mark.parametrize("format", FORMATS)
@TURNS
def test_whatever_it_allows_is_calls_that_are_valid(format: str, choice: Any) -> None:
    """Nothing but texts before a call has to be asked for by itself."""
    turn = turn_of(PROMPTERS[format], choice)
    grammar = made(turn, format)
    assert grammar is not None
    calls = at_once = 0
    for seed in range(MOST_WALKS):
        if seed >= WALKS and at_once > 2:
            break
        engine, answer = walked(format, turn, grammar, seed)
        said = answer.message()
        assert said.calls or None in engine.asked
        for call in said.calls:
            jsonschema.validate(json.loads(call.arguments), SCHEMAS[call.name])
        calls += bool(said.calls)
        at_once += bool(said.calls) and not any(engine.asked)
    assert at_once > 2, (at_once, calls)


def test_text_is_asked_for_by_itself() -> None:
    for format in FORMATS:
        turn = turn_of(PROMPTERS[format], "none")
        assert made(turn, format) is None

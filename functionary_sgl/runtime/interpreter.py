"""Runs a turn program on an engine, without a thread.

The program is called in a greenlet. Each `gen` and `select` switches to the event loop, where the
engine is awaited; in between only the program runs, and it never waits. The state is token ids.
"""

import uuid
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Literal

from greenlet import greenlet

from functionary_sgl.chat.conversation import new_call_id
from functionary_sgl.engines.base import (
    Answering,
    Constraint,
    Request,
    Sampling,
    Scores,
    TurnContext,
)
from functionary_sgl.grammars.parameters import Places
from functionary_sgl.runtime.choice import choose, told_apart
from functionary_sgl.runtime.events import (
    Delta,
    Drawn,
    Ended,
    Event,
    Opened,
    Usage,
    Variable,
)
from functionary_sgl.runtime.generation import Generation
from functionary_sgl.runtime.payloads import Payloads
from functionary_sgl.runtime.state import State, Tokens
from functionary_sgl.runtime.stops import Stops
from functionary_sgl.runtime.turn import Turn
from functionary_sgl.runtime.value_ends import common_lead, lead, tails
from functionary_sgl.tokenizer import Tokenizer

_NEVER = -10_000.0
"""What is added to the logit of an id that may not come."""


class _TurnOver(Exception):
    """The program will not be resumed: the budget or a stop string of the client's ended it."""

    def __init__(self, reason: Literal["stop", "length"], stop: str | None = None) -> None:
        self.reason: Literal["stop", "length"] = reason
        self.stop = stop


async def run(turn: Turn, engine: Answering, tokenizer: Tokenizer) -> AsyncGenerator[Event, None]:
    """The events of a turn, `Ended` last. Closing the generator stops the turn in the engine.

    Raises what the engine raises.
    """
    interpreter = _Interpreter(turn, engine, tokenizer)
    program = greenlet(turn.program.func)
    reason: Literal["stop", "length"] = "stop"
    stop = None
    try:
        asked = program.switch(interpreter.state, turn.prompt, turn.offer)
        while not program.dead:
            async with aclosing(interpreter.perform(*asked)) as events:
                async for event in events:
                    yield event
            asked = program.switch()
        for event in interpreter.announced():
            yield event
    except _TurnOver as over:
        reason, stop = over.reason, over.stop
    finally:
        if not program.dead:
            program.throw()
    yield interpreter.ended(reason, stop)


class _Interpreter:
    def __init__(self, turn: Turn, engine: Answering, tokenizer: Tokenizer) -> None:
        self._turn = turn
        self._engine = engine
        self._tokenizer = tokenizer
        self._tokens = Tokens(tokenizer.encode_marked)
        self._context = TurnContext(
            turn_id=uuid.uuid4().hex,
            prompt_length=len(turn.prompt.token_ids),
            last_input=turn.last_input,
            images=turn.images,
            adapter=turn.adapter,
            cache_salt=turn.cache_salt,
        )
        self._payloads = Payloads(turn)
        self._prompt_tokens = 0
        self._cached_tokens: int | None = None
        self._image_tokens = 0
        self._reasoning_tokens = 0
        self._spelled = True
        self.state = State(self._tokens)

    async def perform(self, state: State, expression: Any) -> AsyncGenerator[Event, None]:
        """Do what the program asked for and store the result in `state`: the program's, or one that
        it forked to look ahead with a `select`."""
        for event in self.announced():
            yield event
        if hasattr(expression, "choices"):
            await self._select(state, expression)
        else:
            async with aclosing(self._generate(expression)) as events:
                async for event in events:
                    yield event

    def announced(self) -> Iterator[Event]:
        """What the program itself has said since it was last asked."""
        while self.state.announced:
            name, event = self.state.announced.pop(0)
            if isinstance(event, Delta):
                text = self._payloads.filter(name, constrained=False).feed(event.text)
                event = Delta(event.role, text)
                if not text:
                    continue
            yield event

    def ended(self, reason: Literal["stop", "length"], stop: str | None) -> Ended:
        ids = tuple(self._tokens.flush())
        read = self._prompt_tokens + self._image_tokens
        cached = min(self._cached_tokens or 0, read)
        usage = Usage(read, len(ids) - self._prompt_tokens, cached, self._reasoning_tokens)
        return Ended(reason, usage, ids, self._spelled, stop)

    def _budget(self) -> int:
        """Ids that the turn may still have; the turn is over when there are none."""
        left = self._turn.max_tokens - (len(self._tokens.flush()) - self._prompt_tokens)
        if left <= 0:
            raise _TurnOver("length")
        return left

    async def _select(self, state: State, expression: Any) -> None:
        self._note_prompt()
        tokens = state.tokens
        texts = [tokens.pending + choice for choice in expression.choices]
        held = common_lead(self._tokenizer, texts)
        texts = [text.removesuffix(held) for text in texts]
        tokens.pending = ""
        told = told_apart(texts, getattr(expression, "followed", ()))
        choices = [tokens.encode(text) for text, _ in told]
        index = told[await choose(tokens.ids, choices, self._turn.sampling, self._score)].place
        chosen = tokens.encode(texts[index])
        if state is self.state and len(chosen) > self._budget():
            raise _TurnOver("length")
        tokens.ids += chosen
        tokens.pending = held
        state.store(expression.name, expression.choices[index])

    async def _score(self, token_ids: Sequence[int], candidates: Sequence[int]) -> Scores:
        scores = await self._engine.score(token_ids, candidates, self._context)
        self._note_read(scores)
        return scores

    def _note_read(self, told: Scores | Generation) -> None:
        """Only the first request of a turn tells what of the prompt was cached."""
        self._image_tokens = told.image_tokens
        if self._cached_tokens is None:
            self._cached_tokens = told.cached_tokens

    def _note_prompt(self) -> None:
        """What the program writes before it first asks the model belongs to the prompt."""
        if not self._prompt_tokens:
            written = self._tokens.encode(self._tokens.pending)
            self._prompt_tokens = len(self._tokens.ids) + len(written)

    async def _generate(self, expression: Any) -> AsyncGenerator[Event, None]:
        role, place = Variable.parse(expression.name)
        call_id = self.state.variables.get(f"id_{place}") or new_call_id(self._turn.call_prefix)
        yield Opened(role, call_id)
        program_stops = _as_tuple(expression.sampling_params.stop)
        generation = self._generation(expression, role, program_stops)
        async with aclosing(generation.deltas()) as deltas:
            async for text in deltas:
                if drawn := generation.tokens(self._tokenizer.token_bytes):
                    yield Drawn(drawn)
                yield Delta(role, text)
        if drawn := generation.tokens(self._tokenizer.token_bytes):
            yield Drawn(drawn)
        self._note_read(generation)
        self._tokens.ids += generation.ids
        if role == "reasoning":
            self._reasoning_tokens += len(generation.ids)
        self._spelled &= self._tokenizer.spells(generation.text_ids, generation.text)
        self._tokens.pending = self._tokenizer.control.mark(generation.rest)
        constrained = generation.request.constraint is not None
        if generation.end_id in self._turn.stop_token_ids and not constrained:
            self._tokens.ids.append(generation.end_id)
        if generation.out_of_budget:
            raise _TurnOver("length")
        if generation.matched is not None and generation.matched not in program_stops:
            if self._turn.sampling.keeps_stop:
                self._spelled = False  # it is told, but not among the ids
                yield Delta(role, generation.tell(generation.matched))
            raise _TurnOver("stop", generation.matched)
        if generation.end_id in self._client_stop_ids(role):
            raise _TurnOver("stop")
        finish = {"type": "stop", "matched": generation.matched or generation.end_id}
        self.state.store(expression.name, generation.text, finish)

    def _generation(self, expression: Any, role: str, program_stops: tuple[str, ...]) -> Generation:
        constraint = self._constraint(expression)
        is_free = role == "arguments" and constraint is None
        if is_free:
            self._take_lead()  # the model writes it
        self._note_prompt()
        marks = self._marks(expression)
        characters = {} if marks is None else marks.characters
        client_stops = self._turn.sampling.stop if role == "content" else ()
        stops = Stops.of(self._tokenizer, program_stops, client_stops, in_value=is_free)
        request = Request(
            max_tokens=self._budget(),
            token_ids=list(self._tokens.ids),
            turn=self._context,
            sampling=self._sampling(role),
            constraint=constraint,
            # An engine knows no strings inside of JSON.
            stop=() if is_free else stops.texts,
            stop_token_ids=(
                *self._turn.stop_token_ids,
                *stops.marks,
                *self._client_stop_ids(role),
            ),
            control_ids=tuple(characters),
            min_tokens=self._least(role) if constraint is None else 0,
            top_logprobs=self._turn.top_logprobs,
        )
        variables = self.state.variables
        filter, matcher = self._payloads.of(expression, constraint, stops, variables, marks)
        decoder = self._tokenizer.stream()
        return Generation(
            self._engine, request, decoder, filter, stops, characters, matcher=matcher
        )

    def _sampling(self, role: str) -> Sampling:
        """How a text of this role is drawn: where a call is due, reasoning does not end the turn.

        With a request's own bias, since a text that may not end for long could not come to the tag
        that closes it either.
        """
        sampling = self._turn.sampling
        if role != "reasoning" or getattr(self._turn.offer, "text", True):
            return sampling
        bias = dict.fromkeys(self._turn.stop_token_ids, _NEVER)
        return replace(sampling, logit_bias={**sampling.logit_bias, **bias})

    def _client_stop_ids(self, role: str) -> tuple[int, ...]:
        """Those that end the turn for the client but not for the model; text only."""
        ids = self._turn.sampling.stop_token_ids if role == "content" else ()
        return tuple(token_id for token_id in ids if token_id not in self._turn.stop_token_ids)

    def _marks(self, expression: Any) -> Places | None:
        """Those of the parameters that `expression` asks for, if it does."""
        marks: Places | None = getattr(expression, "marks", None)
        return None if marks is None else marks.in_tokens(self._tokenizer)

    def _least(self, role: str) -> int:
        """Ids that the turn must still have before text may end."""
        made = len(self._tokens.ids) - self._prompt_tokens
        return max(0, self._turn.sampling.min_tokens - made) if role == "content" else 0

    def _constraint(self, expression: Any) -> Constraint | None:
        wanted = expression.sampling_params
        marks = self._marks(expression)
        before: tuple[str, ...] = getattr(expression, "before", ())
        if wanted.json_schema is not None and marks is not None:
            ends = tails(self._tokenizer, before, string=False, bracket=marks.end)
            return Constraint("json_schema", wanted.json_schema, tails=ends, marks=marks)
        if wanted.json_schema is not None:
            is_string = Variable.parse(expression.name).role in ("code", "input")
            found = tails(self._tokenizer, before, string=is_string)
            before_it = self._take_lead(string=is_string)
            return Constraint("json_schema", wanted.json_schema, before_it, found)
        if wanted.regex is not None:
            return Constraint("regex", wanted.regex)
        grammar = getattr(wanted, "ebnf", None)
        return None if grammar is None else Constraint("lark", grammar)

    def _take_lead(self, *, string: bool = False) -> str:
        """The spaces at the end of what is pending that belong to the next token, taken away."""
        held = lead(self._tokenizer, self._tokens.pending, string=string)
        self._tokens.pending = self._tokens.pending.removesuffix(held)
        return held


def _as_tuple(stop: Any) -> tuple[str, ...]:
    return (stop,) if isinstance(stop, str) else tuple(stop or ())

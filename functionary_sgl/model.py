"""A model that can be asked: a format and its prompts, joined with an engine."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, closing, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property
from time import perf_counter
from typing import Any

from functionary_sgl import record, tracing
from functionary_sgl.adapters import Adapter, Adapters, unknown
from functionary_sgl.admission import Admission, Place
from functionary_sgl.caller import Caller
from functionary_sgl.chat.conversation import Call, Conversation, Message
from functionary_sgl.chat.custom import CustomTool
from functionary_sgl.chat.forms import Form
from functionary_sgl.chat.schema import Arguments
from functionary_sgl.checked_turn import (
    CheckedTurn,
    check_ids,
    check_least,
    salt_of,
    too_long,
    unenforced,
    within_context,
)
from functionary_sgl.engines.base import Answering, Engine, Sampling
from functionary_sgl.engines.shown import shown
from functionary_sgl.engines.traced import Traced
from functionary_sgl.errors import RequestError
from functionary_sgl.forms import Forms
from functionary_sgl.gate import Constraints, Gate
from functionary_sgl.metrics import ADAPTER_TURNS, CALLS_NOT_OFFERED, TURN_GRAMMARS
from functionary_sgl.prompt.prompter import Prompter
from functionary_sgl.record import TurnRecord
from functionary_sgl.runtime.events import Delta, Ended, Event
from functionary_sgl.runtime.interpreter import run
from functionary_sgl.runtime.prompt import Prompt
from functionary_sgl.runtime.transcript import Transcript
from functionary_sgl.runtime.turn_grammars import TurnGrammars
from functionary_sgl.runtime.turn_stream import TurnStream
from functionary_sgl.turns import Offer


@dataclass(frozen=True)
class Model:
    """names: what requests may call it, the first being its own.
    reason: why the format was taken, for people.
    defaults: sampling defaults of the checkpoint (`generation_config.json`).
    constraints: what of a call is enforced where its tool does not say `strict`; an answer in JSON
        is enforced in any case.
    adapters: the engine's LoRA adapters, each a model by its own name.
    max_output_tokens: the most that any answer may take, whatever is asked for; None: what the
        context holds.
    admission: who runs and who waits, of those who ask.
    """

    names: tuple[str, ...]
    prompter: Prompter
    engine: Engine
    reason: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    constraints: Constraints = "schema"
    adapters: Adapters = field(default_factory=Adapters)
    max_output_tokens: int | None = None
    admission: Admission = field(default_factory=Admission)

    def adapter(self, name: str | None) -> Adapter | None:
        """The adapter that a request for the model `name` wants, None for the model as it is; so
        it is without a name where nothing else is served.

        Raises NotFound if there is no such model, RequestError where one has to be named.
        """
        if name is None and self.adapters:
            served = ", ".join(f"'{known}'" for known in (*self.names[:1], *self.adapters))
            raise RequestError(
                f"Missing required parameter: 'model'. It is one of {served}.",
                param="model",
                code="missing_required_parameter",
            )
        if name is None:
            return None
        if name in self.names:
            return None
        if adapter := self.adapters.get(name):
            return adapter
        raise unknown(name)

    @cached_property
    def gate(self) -> Gate:
        return Gate(self.engine, self.constraints, self.prompter.format.parameters)

    @cached_property
    def forms(self) -> Forms:
        return Forms(self.engine, self.gate)

    @cached_property
    def turn_grammars(self) -> TurnGrammars:
        return TurnGrammars(self.engine, self.prompter.tokenizer)

    def check_count(self, turns: int, caller: Caller) -> None:
        """RequestError for so many turns in one request as `caller` can never have at once."""
        for most, who in (
            (self.admission.most_running, "This server can run"),
            (caller.turns.most, "This key can have"),
        ):
            if most is not None and turns > most:
                raise RequestError(f"{who} {most} turns at once; 'n' asks for {turns}.", param="n")

    @contextmanager
    def admitted(self, caller: Caller, turns: int) -> Iterator[Place]:
        """A place for turns of `caller`, so many, all of one request: while they are prepared, wait
        (`Place.run`) and run. Raises ServerBusy where too many others are there already."""
        with caller.turns.taking(turns), self.admission.place(caller.name, turns) as place:
            yield place

    async def prepare(
        self,
        conversation: Conversation,
        sampling: Sampling,
        max_tokens: int | None,
        top_logprobs: int | None = None,
        adapter: Adapter | None = None,
        cache_salt: str = "",
    ) -> CheckedTurn:
        """The turn that answers `conversation`, of at most `max_tokens` and what the context holds,
        by `adapter` if there is one; `top_logprobs` and `cache_salt` as in Turn.

        Raises RequestError for whatever is wrong with the request, before anything is generated.
        """
        record.current().model = self.names[0]
        record.current().adapter = "" if adapter is None else adapter.name
        check_ids(sampling, self.prompter.tokenizer.size)
        images = await shown(conversation.images(), self.engine)
        key = None if adapter is None else adapter.key
        salt = salt_of(sampling, key, cache_salt)
        conversation = self.prompter.in_first_order(conversation, salt)
        with tracing.span("gate"):
            arguments = await self.gate.admit(conversation.callable_functions())
            inputs = {
                tool.name: await self.forms.admit_input(tool)
                for tool in conversation.callable_tools()
                if isinstance(tool, CustomTool)
            }
            answer, lacking = await self._answer(conversation)
        # Templates and tokenizers are worked off the event loop: other turns go on.
        with tracing.span("prompt"):
            prompt, offer, taken = await asyncio.to_thread(
                self._prompt_and_offer, conversation, arguments, answer, inputs, sampling, salt
            )
        return CheckedTurn(
            program=self.prompter.format.program,
            prompt=prompt,
            offer=offer,
            sampling=sampling,
            max_tokens=self.budget(taken, max_tokens, conversation.messages_param),
            stop_token_ids=self.prompter.stop_token_ids,
            last_input=conversation.last_input(),
            images=images,
            trims_text=self.prompter.format.trims_text,
            continues=conversation.continues,
            top_logprobs=top_logprobs,
            adapter=key,
            cache_salt=cache_salt,
            salt=salt,
            answerer=adapter,
            taken=taken,
            arguments=arguments,
            unenforced=(*unenforced(conversation, arguments), *lacking),
        )

    async def _answer(self, conversation: Conversation) -> tuple[Form | None, list[str]]:
        """The form of an answer in text, if it has one, and where the request has keywords that it
        lacks."""
        if conversation.answer is None:
            return None, []
        form, lacking = await self.forms.admit(conversation.answer)
        return form, [conversation.answer.path + pointer for pointer in lacking]

    async def run(
        self,
        conversation: Conversation | None,
        turn: CheckedTurn,
        watched: Callable[[Answering], Answering] | None = None,
    ) -> AsyncGenerator[Event, None]:
        """The events of `turn`, whose place runs. The conversation's next prompt, if it answers
        one, will begin with the turn's ids. NotFound where its adapter was unloaded since it was
        prepared. `watched`: gives what is asked in the engine's stead, for whoever looks on."""
        answer = Transcript()
        choice = "none" if conversation is None else conversation.choice.mode
        with (
            record.current().turn(choice) as told,
            nullcontext() if turn.answerer is None else turn.answerer.using(),
            self._asked(turn) as engine,
        ):
            asked = engine if watched is None else watched(engine)
            async with aclosing(run(turn, asked, self.prompter.tokenizer)) as events:
                async for event in events:
                    answer.add(event)
                    if told.first_token is None and isinstance(event, Delta):
                        told.first_token = perf_counter()
                    if isinstance(event, Ended):
                        # Before the end is told: the next prompt may come at once.
                        await self._note(conversation, turn, event, answer.message(), told)
                    yield event

    @contextmanager
    def _asked(self, turn: CheckedTurn) -> Iterator[Answering]:
        """What answers the questions of `turn`: the engine, or one request for all of it."""
        grammar = self.turn_grammars.of(turn)
        TURN_GRAMMARS.labels("no" if grammar is None else "yes").inc()
        if turn.answerer is not None:
            ADAPTER_TURNS.labels(turn.answerer.name).inc()
        engine: Answering = Traced(self.engine) if tracing.is_on() else self.engine
        if grammar is None:
            yield engine
            return
        with closing(TurnStream(engine, grammar, turn, self.prompter.tokenizer)) as stream:
            yield stream

    async def _note(
        self,
        conversation: Conversation | None,
        turn: CheckedTurn,
        ended: Ended,
        said: Message,
        noted: TurnRecord,
    ) -> None:
        """Remember and count a turn that is over, and write in `noted` how it was."""
        noted.prompt_tokens = ended.usage.prompt_tokens
        noted.cached_tokens = ended.usage.cached_tokens
        noted.completion_tokens = ended.usage.completion_tokens
        noted.calls = len(said.calls)
        noted.outcome = "tool_calls" if said.calls and ended.reason == "stop" else ended.reason
        if ended.spelled and conversation is not None:
            before, whole = conversation, said
            if conversation.continues:
                before, begun = conversation.without_last()
                whole = replace(said, content=begun.content + said.content)
            told = before, whole, ended.token_ids, turn.salt
            await asyncio.to_thread(self.prompter.remember, *told)
        self._count(turn, said.calls, ended.reason == "length")

    def _prompt_and_offer(
        self,
        conversation: Conversation,
        arguments: Mapping[str, Arguments],
        answer: Form | None,
        inputs: Mapping[str, Form],
        sampling: Sampling,
        salt: str,
    ) -> tuple[Prompt, Offer, int]:
        """Also how many ids there are before the model's own first."""
        schemas = {name: known.constraint for name, known in arguments.items()}
        free_names = self.constraints == "off"
        offer = self.prompter.offers.of(
            conversation, schemas, answer, inputs, free_names=free_names
        )
        if self.prompter.format.parameters is not None:
            offer = replace(offer, whole={name: known.whole for name, known in arguments.items()})
        check_least(sampling, offer)
        most = self.engine.context_length
        with within_context(most, conversation.messages_param):
            prompt = self.prompter.prompt(conversation, salt, most)
        return prompt, offer, self.prompter.read(prompt, offer)

    def _count(self, turn: CheckedTurn, calls: Sequence[Call], cut: bool) -> None:
        """`cut`: whether the last of `calls` may lack its end."""
        CALLS_NOT_OFFERED.inc(sum(call.name not in turn.offer.names for call in calls))
        for left, call in enumerate(reversed(calls)):
            known = None if cut and not left else turn.arguments.get(call.name)
            self.gate.count(known, call.arguments)

    def budget(self, prompt_tokens: int, max_tokens: int | None, param: str) -> int:
        """The tokens that an answer may have; ContextLengthExceeded, about `param`, where there is
        room for none. Agents ask for as many as there could be, whatever the prompt."""
        left = self.engine.context_length - prompt_tokens
        if left < 1:
            raise too_long(self.engine.context_length, str(prompt_tokens), param)
        bounds = (left, max_tokens, self.max_output_tokens)
        return min(bound for bound in bounds if bound is not None)

"""An engine without a model: it replays a script, for tests of this package and of its users.

It behaves as a real one does: it follows constraints, ends at stop strings and budgets, sends ids
in chunks, can be stopped at any moment, and fails when it is told to.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cachetools import LRUCache
from prometheus_client import Metric

from functionary_sgl.engines.base import (
    Chunk,
    Constraint,
    Logprob,
    Request,
    Scores,
    TurnContext,
)
from functionary_sgl.engines.grammar import check
from functionary_sgl.engines.images import objection
from functionary_sgl.engines.scripted.follow import follow
from functionary_sgl.engines.scripted.marked import ids_of, unbroken
from functionary_sgl.engines.scripted.script import Reply, Script
from functionary_sgl.errors import EngineDied, EngineError, RequestError
from functionary_sgl.sandbox import bytewise
from functionary_sgl.tokenizer import Tokenizer

_UNLIKELY = -1000.0

_LOOKED_AT = 64
"""Characters of a script that are cut into tokens to find the first of them."""


@dataclass
class _Progress:
    """How far a turn is: `cursor` characters of the script, after the text `seen`."""

    reply: Reply
    seen: str = ""
    cursor: int = 0
    chunks: int = 0

    @property
    def rest(self) -> str:
        return self.reply.turn[self.cursor :]

    def catch_up(self, text: str) -> None:
        """Move over what was written since, by this engine or by the program.

        What the program writes is part of the script or, as the script's author prefers, not.
        """
        if text.startswith(self.seen):  # as a rule, and this is quick
            common = len(self.seen)
        else:
            pairs = zip(self.seen, text, strict=False)
            common = next((i for i, (a, b) in enumerate(pairs) if a != b), len(text))
        self.cursor = max(0, self.cursor - (len(self.seen) - common))
        self.cursor += self._length_of(text[common:])
        self.seen = text

    def _length_of(self, written: str) -> int:
        """How much of the script, from here on, stands for `written` or for its end; nought if
        nothing does."""
        blanks = len(self.rest) - len(self.rest.lstrip(" "))
        for start in range(len(written)):
            for form in (written[start:], written[start:].rstrip("\n")):
                for skipped in (0, blanks):
                    if form and self.rest.startswith(form, skipped):
                        return skipped + len(form)
        return 0


def _chunk(
    request: Request, ids: Sequence[int], reason: Literal["stop", "length"] | None = None
) -> Chunk:
    """A chunk in which every token was certain."""
    top = request.top_logprobs
    if top is None:
        return Chunk(ids, reason)
    logprobs = [Logprob(0.0, ((token_id, 0.0),) if top else ()) for token_id in ids]
    return Chunk(ids, reason, logprobs=logprobs)


class ScriptedEngine:
    """Replays `script`. `running` counts the generations that are under way."""

    def __init__(self, script: Script, tokenizer: Tokenizer, context_length: int = 8192) -> None:
        self.context_length = context_length
        self.most_running: int | None = None
        self.most_waiting: int | None = None
        self.takes_turns = False
        self.image_hosts: Collection[str] = ()
        self.running = 0
        self._script = script
        self._tokenizer = tokenizer
        self._turns: LRUCache[str, _Progress] = LRUCache(maxsize=1024)
        self._dead = asyncio.Event()
        self._end: EngineError | None = None
        self._ended = asyncio.Event()

    async def ready(self, stop: Callable[[], None]) -> None:
        """At once."""

    def check(self, constraints: Sequence[Constraint], patient: bool) -> list[str | None]:
        return check(constraints, bytewise(), patient)

    def blind_to(self, images: Sequence[str]) -> list[str | None]:
        return [objection(url, self.image_hosts) for url in images]

    async def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        progress = self._progress(request.turn, request.token_ids)
        self.running += 1
        try:
            for chunk in self._chunks(request, progress):
                await self._play(progress)
                progress.chunks += 1
                yield chunk
        finally:
            self.running -= 1

    async def score(
        self, token_ids: Sequence[int], candidates: Sequence[int], turn: TurnContext
    ) -> Scores:
        progress = self._progress(turn, token_ids)
        await self._play(progress)
        return Scores(self._likelihoods(progress.rest, candidates))

    async def load_adapter(self, key: str, name: str, directory: Path) -> None:
        raise RequestError("--engine scripted has no weights, so it has no adapters either.")

    async def unload_adapter(self, key: str, name: str) -> None:
        """Nothing is held."""

    def trouble(self) -> None:
        """None that is known."""

    def metrics(self) -> tuple[Metric, ...]:
        """None."""
        return ()

    def give_up(self, error: EngineError) -> None:
        self._end = self._end or error
        self._ended.set()

    async def died(self) -> EngineDied:
        await self._dead.wait()
        return EngineDied("The scripted engine died, as its script says.")

    async def close(self) -> None:
        """Nothing is held."""

    def _progress(self, turn: TurnContext, token_ids: Sequence[int]) -> _Progress:
        if turn.turn_id not in self._turns:
            self._turns[turn.turn_id] = _Progress(self._script.reply_to(turn.last_input))
        progress = self._turns[turn.turn_id]
        progress.catch_up(self._tokenizer.decode(list(token_ids[turn.prompt_length :])))
        return progress

    async def _play(self, progress: _Progress) -> None:
        """Wait and fail as the script says."""
        reply = progress.reply
        await (self._wait(reply.delay) if reply.delay else asyncio.sleep(0))
        if reply.fault and progress.chunks >= reply.after:
            if reply.fault == "stall":
                await self._wait(None)
            if reply.fault == "fail":
                raise EngineError("The scripted engine failed, as its script says.")
            self._dead.set()
        if self._dead.is_set():
            raise await self.died()

    async def _wait(self, seconds: float | None) -> None:
        """Wait so long, or for ever; raises as soon as generations are given up."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        if self._end is not None:
            raise self._end

    def _chunks(self, request: Request, progress: _Progress) -> Iterator[Chunk]:
        """What the request gives, with the progress it makes."""
        if request.constraint:
            text, used = follow(request.constraint, progress.rest)
            end: Sequence[int] = request.stop_token_ids[:1]
        else:
            text, end = self._before_end(progress.rest, request.stop_token_ids)
            used = len(text)
        # A grammar lets none but those pass that it names: what looks like another is text.
        asked = frozenset(request.control_ids)
        groups = self._groups(progress, text, end, asked, plain=request.constraint is not None)
        if request.min_tokens:
            groups = self._lengthened(groups, end, min(request.min_tokens, request.max_tokens))
        progress.seen += text
        progress.cursor += used
        decoder, told, count = self._tokenizer.stream(), "", 0
        longest = max(map(len, request.stop), default=1)
        for group in groups:
            for index, token_id in enumerate(group):
                count += 1
                told = told[-longest:] + decoder.step(token_id)
                if token_id in request.stop_token_ids or any(s in told for s in request.stop):
                    yield _chunk(request, group[: index + 1], "stop")
                    return
                if count == request.max_tokens:
                    yield _chunk(request, group[: index + 1], "length")
                    return
            yield _chunk(request, group)

    def _lengthened(
        self, groups: list[list[int]], end: Sequence[int], least: int
    ) -> list[list[int]]:
        """`groups` with full stops before their `end`, where they have less than `least` ids."""
        ids = sum(map(len, groups)) - len(end)
        if ids >= least:
            return groups
        stops = self._tokenizer.encode(".") * (least - ids)
        *before, last = groups
        return [*before, last[: len(last) - len(end)], stops[: least - ids], list(end)]

    def _before_end(self, text: str, end_ids: Sequence[int]) -> tuple[str, Sequence[int]]:
        """`text` up to the first of the control tokens `end_ids`, and that token; the first of
        them where the text has none."""
        found = [
            (at, token_id)
            for token, token_id in self._tokenizer.control_ids.items()
            if token_id in end_ids and (at := text.find(token)) >= 0
        ]
        if not found:
            return text, end_ids[:1]
        end, token_id = min(found)
        return text[:end], [token_id]

    def _groups(
        self,
        progress: _Progress,
        text: str,
        end: Sequence[int],
        asked: Set[int],
        *,
        plain: bool,
    ) -> list[list[int]]:
        """The ids of `text` and `end` as they arrive. No control token but an end and those that
        are `asked` for is ever drawn: one that gives text is text here, as all are where `plain`,
        and another is passed over."""
        drawn = [token for token, i in self._tokenizer.control_ids.items() if i in asked]
        if not plain:
            pieces = self._tokenizer.control.split(text)
            text = "".join(
                p
                for p, control in pieces
                if not control or p in drawn or self._tokenizer.gives_text(p)
            )
        parts = unbroken(progress.reply.cuts(progress.cursor, text), drawn)
        groups = [ids_of(part, drawn, self._tokenizer) for part in parts]
        chunk = progress.reply.chunk
        if isinstance(chunk, list) or chunk == "char":
            return [*groups, list(end)]
        ids = [token_id for group in groups for token_id in group] + list(end)
        size = len(ids) if chunk == "all" else chunk
        return [ids[at : at + size] for at in range(0, len(ids), size)]

    def _likelihoods(self, rest: str, candidates: Sequence[int]) -> list[float]:
        """Nought for the candidate with which the script goes on, where it has ended for the first
        control token (programs name the end of the turn first), else for the first candidate; all
        others are out of the question."""
        texts = [self._tokenizer.decode([candidate]) for candidate in candidates]
        wish = rest.lstrip(" ")
        fits = [i for i, t in enumerate(texts) if t and (rest.startswith(t) or wish.startswith(t))]
        if not rest:
            fits = [i for i, text in enumerate(texts) if text in self._tokenizer.control_ids][:1]
        # The token that a tokenizer would cut off, if it is one of them, else the longest.
        first = self._tokenizer.encode_marked(rest[:_LOOKED_AT])[:1]
        chosen = max(
            fits,
            key=lambda index: (list(candidates[index : index + 1]) == first, len(texts[index])),
            default=0,
        )
        return [0.0 if i == chosen else _UNLIKELY for i in range(len(candidates))]

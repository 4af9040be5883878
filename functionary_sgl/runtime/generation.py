"""One `gen` of a program: an engine's ids become text, cut where it ends."""

from array import array
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from types import MappingProxyType

from functionary_sgl.engines.base import Answering, Chunk, Logprob, Request
from functionary_sgl.runtime.events import Token
from functionary_sgl.runtime.payloads import end_of
from functionary_sgl.runtime.stops import Stops
from functionary_sgl.runtime.text import Matcher, StopMatcher, TextBuffer, TextFilter
from functionary_sgl.tokenizer import TextStream


class Generation:
    """Runs `request` on `engine`; `deltas` tells the text, the attributes the rest.

    end_id: the id with which the model ended the turn, if it did.
    out_of_budget: whether the request's `max_tokens` ended the generation.
    cached_tokens, image_tokens: as in Chunk.
    """

    def __init__(
        self,
        engine: Answering,
        request: Request,
        decoder: TextStream,
        filter: TextFilter,
        stops: Stops,
        characters: Mapping[int, str] = MappingProxyType({}),
        *,
        matcher: Matcher | None = None,
    ) -> None:
        """`filter` decides what of the text is told; the request has the ids of `stops.marks`
        among its `stop_token_ids`. `characters`: what stands in the text for control tokens that
        do not end it, by their ids. `matcher`: finds the end of the text, as `stops` have it and
        possibly before."""
        self._engine = engine
        self._decoder = decoder
        self._filter = filter
        self._stops = stops
        self._characters = characters
        self._matcher = matcher or StopMatcher(stops.searched)
        # What grows with each token is kept small: many answers are under way at once.
        self._ids = array("I")
        self._told = TextBuffer()
        self._pieces: list[str] = []  # of the ids behind the certain ones
        self._logprobs: list[Logprob] = []
        self._reported = 0
        self._certain = 0
        self._covered = 0  # characters of the certain ids
        self.request = request
        self.end_id: int | None = None
        self.out_of_budget = False
        self.cached_tokens = 0
        self.image_tokens = 0

    async def deltas(self) -> AsyncGenerator[str, None]:
        """The text in pieces, as the filter lets them pass."""
        async with aclosing(self._engine.generate(self.request)) as chunks:
            async for chunk in chunks:
                if delta := self._filter.feed(self._take(chunk)):
                    yield delta
                if self._matcher.ended or self.end_id is not None:
                    break
                self.out_of_budget = chunk.finish_reason == "length"
        rest = self._close()
        if self._matcher.ended:  # there was an end before the one of the turn
            self.end_id = None
        self._write(rest)
        if delta := self._filter.feed(rest):
            yield delta
        if self.out_of_budget and self._is_whole_value():
            self.out_of_budget = False

    def _close(self) -> str:
        """The text that is certain at the end."""
        last = "" if self._matcher.ended else self._decoder.close()
        if last:
            self._pieces[-1] += last
        return self._matcher.feed(last) + self._matcher.close()

    def _is_whole_value(self) -> bool:
        """Whether the text is a value that was asked for, and has come to its end."""
        constraint = self.request.constraint
        if constraint is None or constraint.kind != "json_schema":
            return False
        end = end_of(constraint)
        end.feed(self.text)
        return end.ended

    def _take(self, chunk: Chunk) -> str:
        """The text that is certain now; ids after the end of the generation do not count."""
        self.cached_tokens = max(self.cached_tokens, chunk.cached_tokens)
        self.image_tokens = max(self.image_tokens, chunk.image_tokens)
        self._logprobs += chunk.logprobs
        told = ""
        for token_id in chunk.token_ids:
            mark = self._stops.marks.get(token_id) or self._characters.get(token_id)
            if mark is None and token_id in self.request.stop_token_ids:
                self.end_id = token_id
                break
            piece = self._decoder.close() + mark if mark else self._decoder.step(token_id)
            self._ids.append(token_id)
            self._pieces.append(piece)
            told += self._matcher.feed(piece)
            if self._matcher.ended:
                break
        self._note_end(chunk)
        self._write(told)
        return told

    def _note_end(self, chunk: Chunk) -> None:
        """Engines also know ends of turns from the model's own files; such an id has no text."""
        ended = chunk.finish_reason == "stop" and not self._matcher.ended and self.end_id is None
        if ended and self._pieces and not self._pieces[-1]:
            self.end_id = self._ids.pop()
            self._pieces.pop()

    @property
    def matched(self) -> str | None:
        """The stop string that ended the generation, if one did."""
        found = self._matcher.matched
        return None if found is None else self._stops.given[found]

    def tell(self, text: str) -> str:
        """What the filter lets pass of `text`, which is told though it ended the generation."""
        return self._filter.feed(text)

    @property
    def text(self) -> str:
        """All of the text, up to its end, untrimmed."""
        return str(self._told)

    @property
    def ids(self) -> list[int]:
        """The ids that stand for `text`, but for one that reaches beyond its end."""
        whole = self._certain if self._matcher.ended else len(self._ids)
        return self._ids[:whole].tolist()

    @property
    def text_ids(self) -> list[int]:
        """Those of `ids` that are no control tokens which the text has characters for."""
        return [token_id for token_id in self.ids if token_id not in self._characters]

    @property
    def rest(self) -> str:
        """The end of `text` that `ids` does not cover, since it shares an id with what follows."""
        if not self._matcher.ended:
            return ""
        return "".join(self._pieces)[: self._matcher.passed - self._covered]

    def tokens(self, spelled: Callable[[int], bytes]) -> tuple[Token, ...]:
        """What was drawn since this was last asked, where log-probabilities were asked for; each
        token is `spelled` by its id."""
        return tuple(token_of(token_id, told, spelled) for token_id, told in self._drawn())

    def _drawn(self) -> list[tuple[int, Logprob]]:
        """The ids that became certain since the last call, with their log-probabilities; nothing
        where these were not asked for."""
        if not self._logprobs:
            return []
        begin, self._reported = self._reported, self._certain
        drawn = slice(begin, self._certain)
        return list(zip(self._ids[drawn], self._logprobs[drawn], strict=False))

    def _write(self, text: str) -> None:
        """Add to the text what is certain now, and let go of the pieces that end in it."""
        if not text:
            return
        self._told.add(text)
        count, end = 0, self._covered
        for place, piece in enumerate(self._pieces, 1):
            end += len(piece)
            if end > self._matcher.passed:
                break
            # An id without text is part of a character that a later id completes.
            if piece:
                count, self._covered = place, end
        del self._pieces[:count]
        self._certain += count


def token_of(token_id: int, told: Logprob, spelled: Callable[[int], bytes]) -> Token:
    """What was drawn, as clients are told it; each token is `spelled` by its id."""
    top = tuple(Token(spelled(other), logprob) for other, logprob in told.top)
    return Token(spelled(token_id), told.logprob, top)

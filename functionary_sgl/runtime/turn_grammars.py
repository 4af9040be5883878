"""The grammars of turns, made once for the same offer."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, NamedTuple

from cachetools import LRUCache

from functionary_sgl.engines.base import Constraint, Engine
from functionary_sgl.errors import EngineError, InvalidSchema
from functionary_sgl.runtime.turn import Turn
from functionary_sgl.runtime.turn_grammar import TurnGrammar, turn_grammar
from functionary_sgl.tokenizer import Tokenizer

logger = logging.getLogger(__name__)

_MOST_CHARACTERS = 32 * 1024 * 1024
"""Of what is kept: grammars, and the schemas by which they are found."""

_MOST_OF_ONE = 500_000
"""Of a grammar: it is sent to the engine with each request."""

_MOST_SCHEMAS = 200_000
_MOST_FUNCTIONS = 256
"""In an offer. With more, a grammar would take long to be made."""


class _Known(NamedTuple):
    """What is known of an offer, and about how many characters that is. `is_made`: whether it has
    been tried to make its grammar, or is now."""

    characters: int
    is_made: bool = False
    grammar: TurnGrammar | None = None


class TurnGrammars:
    """Those that `engine` takes. A grammar is made, and tried, when an offer comes for the second
    time, while that turn runs; from the third on it is there."""

    def __init__(self, engine: Engine, tokenizer: Tokenizer) -> None:
        self._engine = engine
        self._tokenizer = tokenizer
        self._known: LRUCache[Any, _Known] = LRUCache(
            _MOST_CHARACTERS, getsizeof=lambda known: known.characters
        )
        self._making: set[asyncio.Task[None]] = set()

    def of(self, turn: Turn) -> TurnGrammar | None:
        """The grammar of `turn`; None where there is none (yet), or where what is drawn by it would
        be another."""
        if not self._engine.takes_turns or not _is_plain(turn):
            return None
        schemas = getattr(turn.offer, "functions", {})
        characters = sum(len(schema or "") for schema in schemas.values())
        if characters > _MOST_SCHEMAS or len(schemas) > _MOST_FUNCTIONS:
            return None
        key = turn.program, _hashable(turn.offer)
        found = self._known.get(key)
        if found is None:
            self._known[key] = _Known(1_000 + characters)
            return None
        if not found.is_made:
            self._known[key] = found._replace(is_made=True)
            task = asyncio.create_task(self._make(key, turn))
            self._making.add(task)
            task.add_done_callback(self._making.discard)
        return found.grammar

    async def _make(self, key: Any, turn: Turn) -> None:
        try:
            made = await asyncio.to_thread(self._made, turn)
        except (InvalidSchema, EngineError) as error:
            logger.debug("no grammar for a turn: %s", error)
            return
        if made is not None:
            characters = 1_000 + 2 * sum(len(start.source) for start in made.starts)
            self._known[key] = _Known(characters, is_made=True, grammar=made)

    def _made(self, turn: Turn) -> TurnGrammar | None:
        made = turn_grammar(turn.program, turn.offer, self._tokenizer, turn.stop_token_ids)
        if made is None or any(len(start.source) > _MOST_OF_ONE for start in made.starts):
            return None
        faults = self._engine.check([Constraint("lark", s.source) for s in made.starts], True)
        return None if any(faults) else made


def _is_plain(turn: Turn) -> bool:
    """Whether names are drawn alike in both ways: no penalties and no bias apply to them, and no
    log-probabilities are told."""
    return not turn.sampling.bent and turn.top_logprobs is None and not turn.continues


def _hashable(offer: Any) -> tuple[Any, ...]:
    """All that `offer` says. Schemas are the gate's own texts, whose hashes Python keeps."""
    values = (getattr(offer, field.name) for field in fields(offer))
    return tuple(tuple(v.items()) if isinstance(v, Mapping) else v for v in values)

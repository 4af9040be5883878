"""The gate for schemas: nothing reaches the engine before it has been tried at a bounded cost."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from threading import Lock

import orjson
from cachetools import LRUCache

from functionary_sgl.chat.forms import JSONAnswer
from functionary_sgl.chat.schema import Arguments, located
from functionary_sgl.chat.tools import Tool
from functionary_sgl.engines.base import Engine
from functionary_sgl.errors import EngineError, InvalidSchema
from functionary_sgl.gate.shared import Shared
from functionary_sgl.gate.trials import Trials, Unfinished, validity
from functionary_sgl.gate.verdict import Constraints, verdict
from functionary_sgl.grammars.parameters import Places
from functionary_sgl.metrics import (
    CALLS,
    GATE_SECONDS,
    INVALID_ARGUMENTS,
    REFUSED_SCHEMAS,
    SCHEMAS,
    UNENFORCED_SCHEMAS,
)
from functionary_sgl.sandbox import bytewise
from functionary_sgl.schemas.bounds import MAX_REQUEST_BYTES

logger = logging.getLogger(__name__)

__all__ = ["Constraints", "Gate"]

_Key = tuple[Tool, Constraints]

CACHE_BYTES = 32 * 1024 * 1024
"""Of schemas that have been here."""

SOON_BYTES = 16 * 1024
"""Of schemas that are tried at once: larger ones are likely to take long."""

MOST_UNVALIDATED = 1_000
"""How many calls may wait to be validated; beyond that they are not."""

_COUNTED = {
    labels: SCHEMAS.labels(*labels)
    for labels in product(("enforced", "partly", "refused"), ("yes", "no"))
}


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why a tool of this schema is refused; `pointer` goes into its parameters."""

    message: str
    pointer: str
    schema_bytes: int

    def error(self, tool: Tool) -> InvalidSchema:
        return located(InvalidSchema(self.message, param=self.pointer), tool)


class Gate:
    """Lets schemas through to `engine`. With the constraints `schema`, arguments follow what of
    theirs can be enforced. Unless their tool is strict, they are any JSON object with `names`, and
    any text with `off`."""

    def __init__(
        self, engine: Engine, constraints: Constraints = "schema", marks: Places | None = None
    ) -> None:
        """`marks`: the model writes arguments as parameters between these."""
        self._engine = engine
        self._marks = marks
        self._constraints = constraints
        self._known: LRUCache[_Key, Arguments | _Refusal] = LRUCache(CACHE_BYTES, _size)
        self._lock = Lock()
        self._looks: Shared[_Key, Arguments | _Refusal] = Shared()
        self._unvalidated = 0
        # Threads of their own: whoever asks with schemas that are known waits behind neither, and
        # whose schema is tried soon does not wait behind those that take long.
        self._soon = ThreadPoolExecutor(1, "gate")
        self._patient = ThreadPoolExecutor(1, "gate-patient")

    def warm(self) -> None:
        """Have the process for validators started meanwhile: the first schema will wait less."""
        self._soon.submit(bytewise().start)

    async def admit(
        self, tools: Iterable[Tool], constraints: Constraints | None = None
    ) -> Mapping[str, Arguments]:
        """What constrains the arguments of each of `tools`, by name; `constraints`: others than
        the gate's own.

        Raises InvalidSchema for what is no schema, costs too much, or, where the tool is strict,
        cannot be enforced.
        """
        tools = tuple(tools)
        if sum(len(tool.parameters_json) for tool in tools) > MAX_REQUEST_BYTES:
            raise InvalidSchema(
                f"The tools' schemas have more than {MAX_REQUEST_BYTES} bytes together.",
                param="tools",
            )
        if not tools:
            return {}
        admitted = {}
        try:
            with GATE_SECONDS.time():
                for tool in tools:
                    key = tool, "schema" if tool.strict else constraints or self._constraints
                    admitted[tool.name] = await self._admitted(key)
        except InvalidSchema:
            REFUSED_SCHEMAS.inc()
            raise
        UNENFORCED_SCHEMAS.inc(sum(bool(known.unenforced) for known in admitted.values()))
        return admitted

    def remembered(self) -> tuple[int, int]:
        """How many schemas it knows, and about how many bytes they take."""
        with self._lock:
            return len(self._known), int(self._known.currsize)

    def count(self, known: Arguments | None, text: str) -> None:
        """Count a call that is over, with the arguments `text`. Where it is `known` what they
        should be, it is counted too whether they are; validation is done later, elsewhere."""
        CALLS.inc()
        if known is None:
            return
        try:
            orjson.loads(text)
        except orjson.JSONDecodeError:
            INVALID_ARGUMENTS.labels("json").inc()
            return
        if known.unenforced:
            self._validate_later(known.whole, text)

    async def _admitted(self, key: _Key) -> Arguments:
        with self._lock:
            found = self._known.get(key)
        remembered = "no" if found is None else "yes"
        if found is None:
            found = await self._looks.result(key, lambda: self._look(key))
        _COUNTED[_verdict(found), remembered].inc()
        if isinstance(found, _Refusal):
            raise found.error(key[0])
        return found

    async def _look(self, key: _Key) -> Arguments | _Refusal:
        """Look at the tool of `key`, with patience if it needs that."""
        loop = asyncio.get_running_loop()
        if len(key[0].parameters_json) <= SOON_BYTES:
            with suppress(Unfinished):
                return await loop.run_in_executor(self._soon, self._try, key, False)
        return await loop.run_in_executor(self._patient, self._try, key, True)

    def _try(self, key: _Key, patient: bool) -> Arguments | _Refusal:
        """What becomes of the tool of `key`; remembered unless time may have decided it."""
        tool, constraints = key
        marks = None if isinstance(tool, JSONAnswer) else self._marks
        trials = Trials(self._engine, patient, marks)
        found: Arguments | _Refusal
        try:
            found = verdict(tool, constraints, trials)
        except InvalidSchema as error:
            pointer = (error.param or "").removeprefix(tool.parameters_path)
            found = _Refusal(error.message, pointer, len(tool.parameters_json))
        with self._lock:
            if not trials.cut_short and _size(found) <= self._known.maxsize:
                self._known[key] = found
        return found

    def _validate_later(self, schema: str, text: str) -> None:
        with self._lock:
            room = self._unvalidated < MOST_UNVALIDATED
            self._unvalidated += room
        if room:
            self._patient.submit(self._validate, schema, text)
        else:
            INVALID_ARGUMENTS.labels("unchecked").inc()

    def _validate(self, schema: str, text: str) -> None:
        try:
            told = validity(schema, text)
        except EngineError as error:
            logger.error("arguments were not validated: %s", error)
            told = "unfinished"
        with self._lock:
            self._unvalidated -= 1
        if told != "valid":
            INVALID_ARGUMENTS.labels("schema" if told == "invalid" else "unchecked").inc()


def _verdict(known: Arguments | _Refusal) -> str:
    if isinstance(known, _Refusal):
        return "refused"
    return "partly" if known.unenforced else "enforced"


def _size(known: Arguments | _Refusal) -> int:
    if isinstance(known, _Refusal):
        return known.schema_bytes + 1_000
    return len(known.constraint or "") + 2 * len(known.whole) + 1_000

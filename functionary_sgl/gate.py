"""The gate for schemas: nothing reaches the engine before it has been tried at a bounded cost."""

import asyncio
import json
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import inf
from threading import Lock
from typing import Literal

import orjson
from cachetools import TLRUCache

from functionary_sgl.chat.schema import ANY_ARGUMENTS, Arguments, arguments, located
from functionary_sgl.chat.tools import Tool
from functionary_sgl.engines.base import TOO_LONG, Constraint, Engine
from functionary_sgl.errors import EngineError, InvalidSchema
from functionary_sgl.metrics import CALLS, INVALID_ARGUMENTS, REFUSED_SCHEMAS, UNENFORCED_SCHEMAS
from functionary_sgl.sandbox import Trial, bytewise
from functionary_sgl.schemas.bounds import MAX_REQUEST_BYTES

logger = logging.getLogger(__name__)

Constraints = Literal["off", "names", "schema"]

_Key = tuple[Tool, Constraints]

CACHE_BYTES = 32 * 1024 * 1024
"""Of schemas that have been here."""

REFUSED_SECONDS = 600
"""How long a refusal is remembered: what took too long may do so no more."""

VALIDATION_SECONDS = 0.06
"""Processor time that a validator may take to be made, and arguments to be validated."""

# Keywords whose grammars can be large; what is left without them is as a rule small.
_COSTLY = ("pattern", "patternProperties", "multipleOf", "allOf")


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

    def __init__(self, engine: Engine, constraints: Constraints = "schema") -> None:
        self._engine = engine
        self._constraints = constraints
        self._known: TLRUCache[_Key, Arguments | _Refusal, float]
        self._known = TLRUCache(CACHE_BYTES, _forgotten, time.monotonic, _size)
        self._lock = Lock()
        # A thread of its own: whoever asks with schemas that are known does not wait behind it.
        self._executor = ThreadPoolExecutor(1, "gate")

    def warm(self) -> None:
        """Have the process for validators started meanwhile: the first schema will wait less."""
        self._executor.submit(bytewise().start)

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
        admitted = {}
        try:
            for tool in tools:
                key = tool, "schema" if tool.strict else constraints or self._constraints
                admitted[tool.name] = await self._admitted(key)
        except InvalidSchema:
            REFUSED_SCHEMAS.inc()
            raise
        UNENFORCED_SCHEMAS.inc(sum(bool(known.unenforced) for known in admitted.values()))
        return admitted

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
            self._executor.submit(_validate, known.whole, text)

    async def _admitted(self, key: _Key) -> Arguments:
        found = self._get(key)
        if found is None:
            loop = asyncio.get_running_loop()
            found = await loop.run_in_executor(self._executor, self._look, key)
        if isinstance(found, _Refusal):
            raise found.error(key[0])
        return found

    def _get(self, key: _Key) -> Arguments | _Refusal | None:
        with self._lock:
            return self._known.get(key)

    def _look(self, key: _Key) -> Arguments | _Refusal:
        """Look at the tool of `key` unless someone who waited before has had it looked at."""
        found = self._get(key)
        if found is None:
            tool, constraints = key
            try:
                found = self._try(tool, constraints)
            except InvalidSchema as error:
                pointer = (error.param or "").removeprefix(tool.parameters_path)
                found = _Refusal(error.message, pointer, len(tool.parameters_json))
            with self._lock:
                if _size(found) <= self._known.maxsize:
                    self._known[key] = found
        return found

    def _try(self, tool: Tool, constraints: Constraints) -> Arguments:
        wanted = arguments(tool)
        if constraints != "schema":
            loose = ANY_ARGUMENTS if constraints == "names" else None
            return Arguments(loose, wanted.whole, ("",))
        _refuse_shortfall(tool, wanted)
        faults = self._faults(wanted)
        if faults and tool.strict:
            raise _refusal(tool, self._culprit(tool, faults))
        if faults:
            wanted = self._loosened(tool, faults)
        if wanted.unenforced:
            _check_validator(tool, wanted)
        return wanted

    def _loosened(self, tool: Tool, faults: Mapping[str, str]) -> Arguments:
        """Without the patterns that are at fault, or else without all that may be costly."""
        patterns = [pointer for pointer in faults if pointer]
        costly = [keyword for keyword in _COSTLY if f'"{keyword}"' in tool.parameters_json]
        in_time = TOO_LONG not in faults.values()
        # The cheaper first: the time for both may not do for the other.
        wanted = [arguments(tool, [*patterns, *costly])] if costly else []
        if in_time and patterns:
            wanted.append(arguments(tool, patterns))
        tried = list(zip(wanted, self._tried_whole(wanted), strict=True))
        for known, fault in reversed(tried):
            if fault is None:
                return known
            faults = {"": fault}
        raise _refusal(tool, faults)

    def _culprit(self, tool: Tool, faults: dict[str, str]) -> dict[str, str]:
        """`faults` with the keyword that is at fault, if it can be found soon."""
        if faults.keys() != {""} or faults[""] == TOO_LONG:
            return faults
        costly = [keyword for keyword in _COSTLY if f'"{keyword}"' in tool.parameters_json]
        wanted = [arguments(tool, [keyword]) for keyword in costly]
        for known, fault in zip(wanted, self._tried_whole(wanted), strict=True):
            if known.unenforced and fault is None:
                return {known.unenforced[0]: faults[""]}
        return faults

    def _tried_whole(self, wanted: Sequence[Arguments]) -> Sequence[str | None]:
        """For each of `wanted`, whose patterns need no trial of their own, what is wrong."""
        sources = [known.constraint for known in wanted if known.constraint is not None]
        constraints = [Constraint("json_schema", source) for source in sources]
        return self._engine.check(constraints) if constraints else []

    def _faults(self, wanted: Arguments) -> dict[str, str]:
        """Pointers to what the engine cannot enforce, with reasons: patterns, or all ("")."""
        sources = [
            (pointer, json.dumps({"type": "string", "pattern": text}))
            for pointer, text in wanted.patterns
        ]
        if wanted.constraint is not None:
            sources.append(("", wanted.constraint))
        told = self._engine.check([Constraint("json_schema", source) for _, source in sources])
        faults = zip(sources, told, strict=True)
        return {pointer: fault for (pointer, _), fault in faults if fault is not None}


def _refuse_shortfall(tool: Tool, wanted: Arguments) -> None:
    if tool.strict and wanted.unenforced:
        raise located(
            InvalidSchema(
                f"The function '{tool.name}' is strict, but this keyword cannot be enforced. Leave "
                "it out, or 'strict'.",
                param=wanted.unenforced[0],
            ),
            tool,
        )


def _refusal(tool: Tool, faults: Mapping[str, str]) -> InvalidSchema:
    pointer, fault = next(iter(faults.items()))
    return located(InvalidSchema(f"The schema cannot be enforced: {fault}", param=pointer), tool)


def _check_validator(tool: Tool, wanted: Arguments) -> None:
    """Arguments will be validated; that must be possible."""
    faults = bytewise().run([Trial("validator", wanted.whole)], VALIDATION_SECONDS)
    fault = faults[0] if faults else "It takes too long to prepare."
    if fault is not None:
        raise located(InvalidSchema(f"The schema is not valid: {fault}"), tool)


def _validate(schema: str, text: str) -> None:
    try:
        faults = bytewise().run([Trial("valid", schema, text)], VALIDATION_SECONDS)
    except EngineError as error:
        logger.error("arguments were not validated: %s", error)
        faults = []
    if not faults:
        INVALID_ARGUMENTS.labels("unchecked").inc()
    elif faults[0] is not None:
        INVALID_ARGUMENTS.labels("schema").inc()


def _size(known: Arguments | _Refusal) -> int:
    if isinstance(known, _Refusal):
        return known.schema_bytes + 1_000
    return len(known.constraint or "") + 2 * len(known.whole) + 1_000


def _forgotten(_: _Key, known: Arguments | _Refusal, now: float) -> float:
    """When `known`, which is kept from `now` on, is forgotten."""
    return now + REFUSED_SECONDS if isinstance(known, _Refusal) else inf

"""Work on what clients send, in a process that may be killed.

Grammars and validators of hostile schemas can take any time and memory, and libraries have limits
of their own only in part. So a schema is first tried here: in a child process with limits, which
is gone afterwards with all that it held. Nothing that failed here reaches the engine.
"""

import logging
import os
import signal
import sys
import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, Literal, NamedTuple, TypeVar

from functionary_sgl.errors import EngineError
from functionary_sgl.sandbox.process import Broken, Process

logger = logging.getLogger(__name__)

T = TypeVar("T")

_WORKER = Path(__file__).with_name("worker.py")

_LIBRARIES = ("jsonschema_rs", "llguidance")

_START_LOOKS = 25
"""As `process.LOOKS`: while it starts, it may wait for a file system that is no disk."""

SOON_SECONDS = 0.1
"""Processor time of trials for which others may wait."""

PATIENT_SECONDS = 2.0
"""Processor time of trials at most. A fence only, which should decide nothing: limits on work stop
what is large after a quarter of that (docs/gate.md has the measurement)."""

_AT_FAULT = {
    signal.SIGPROF,  # its time is over
    # What comes of memory that was refused: it aborts, or uses what it does not have.
    *(signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGTRAP),
}
"""What kills a child for what it tried. Anything else is somebody's doing."""


class Trial(NamedTuple):
    """One thing to try.

    regex, lark: whether the grammar engine takes `source`, and some tokens of it.
    schema: whether `source` is a JSON Schema, as text, whatever its regular expressions are.
    validator: whether a validator can be made of it: their dialect is known, too.
    valid: whether `instance` (text) is JSON that satisfies it.
    """

    kind: Literal["regex", "lark", "schema", "validator", "valid"]
    source: str
    instance: str = ""


class Sandbox:
    """Tries things one after the other. Thread-safe.

    `tokenizer`: `tokenizer.json` as text, or "byte" for one token per byte; `vocabulary_size` and
    `end_ids` as in the engine.

    A process that dies is replaced at once, one that stands still when it is asked. What it was
    asked is asked once more.
    """

    def __init__(
        self,
        tokenizer: str = "byte",
        vocabulary_size: int | None = None,
        end_ids: Sequence[int] | None = None,
    ) -> None:
        self._setup = [tokenizer, vocabulary_size, end_ids]
        self._lock = Lock()
        self._process: Process | None = None
        self._closed = False
        self._walls: dict[str, bool] = {}

    def start(self) -> None:
        """Have the process ready, so that the first trial need not wait for it.

        Raises EngineError if it cannot be had.
        """
        with self._lock:
            self._twice(lambda process: None)

    def run(self, trials: Sequence[Trial], seconds: float) -> list[str | None]:
        """For each trial what is wrong, or None; fewer than there are trials if they took more
        processor time than `seconds`, or too much memory: the one after the last was at fault.

        Raises EngineError if the process cannot be had.
        """
        question = [seconds, [list(trial) for trial in trials]]
        with self._lock:
            return self._twice(lambda process: _told(process.ask(question), len(trials)))

    def walls(self) -> dict[str, bool]:
        """What keeps the process from the rest of the system (`walls.py`), by name, and whether
        the kernel let it stand. Raises EngineError if the process cannot be had."""
        self.start()
        return dict(self._walls)

    def close(self) -> None:
        """End the process, and have none from now on: whoever asks gets an EngineError."""
        with self._lock:
            self._closed = True
            self._stop()

    def _twice(self, question: Callable[[Process], T]) -> T:
        """Ask it, of a second process if the first breaks."""
        if self._closed:
            raise EngineError("Schemas cannot be checked: the server ends.")
        for last in (False, True):
            try:
                return question(self._running())
            except Broken as error:
                self._stop()
                if last:
                    raise EngineError(
                        f"Schemas cannot be checked: their process {error}"
                    ) from error
                logger.warning("the process for schemas %s: another is started", error)
            except BaseException:
                self._stop()  # it may yet answer, but nobody would know to what
                raise
        raise AssertionError

    def _running(self) -> Process:
        if self._process is None or not self._process.idle():
            self._stop()
            self._process = Process(_command(), _replacing(self), env=_environment(), cwd="/")
            self._finalizer = weakref.finalize(self, self._process.end)
            self._walls = _stands(self._process.ask(self._setup, _START_LOOKS))
            logger.info("schemas are tried behind walls: %s", _listed(self._walls))
        return self._process

    def _replace(self, dead: Process) -> None:
        """Have another process unless whoever asked the one that is dead has seen to that."""
        with self._lock:
            if self._process is not dead or self._closed:
                return
            logger.warning("the process for schemas has died: another is started")
            try:
                self._twice(lambda process: None)
            except EngineError as error:
                logger.error("%s", error)  # whoever comes next tries it again

    def _stop(self) -> None:
        if self._process is not None:
            self._finalizer()
            self._process = None


def _replacing(sandbox: Sandbox) -> Callable[[Process], None]:
    """What replaces its process for as long as anybody has the `sandbox`."""
    known = weakref.ref(sandbox)

    def died(process: Process) -> None:
        if (living := known()) is not None:
            living._replace(process)

    return died


class Sandboxes:
    """Two, with the arguments of `Sandbox`, so that nobody waits long behind another's schema: in
    one, trials are over soon, as nearly all are; the rest are made in the other, whose process is
    started when it is first needed. Thread-safe."""

    def __init__(self, *arguments: Any) -> None:
        self._soon = Sandbox(*arguments)
        self._patient = Sandbox(*arguments)

    def start(self) -> None:
        """Have the first process ready. Raises EngineError if it cannot be had."""
        self._soon.start()

    def run(self, trials: Sequence[Trial], patient: bool) -> list[str | None]:
        """As `Sandbox.run`, with SOON_SECONDS, or PATIENT_SECONDS in a process for that."""
        if patient:
            return self._patient.run(trials, PATIENT_SECONDS)
        return self._soon.run(trials, SOON_SECONDS)

    def close(self) -> None:
        """End the processes."""
        self._soon.close()
        self._patient.close()


@cache
def bytewise() -> Sandboxes:
    """With a token per byte, shared by all that need no tokenizer of their own."""
    return Sandboxes()


def _command() -> list[str]:
    """Python without all that an environment or a user adds to it; libraries from where ours are.
    So nothing measures what of it is tested."""
    found = [find_spec(name) for name in _LIBRARIES]
    origins = [spec.origin for spec in found if spec is not None and spec.origin is not None]
    directories = dict.fromkeys(str(Path(origin).parents[1]) for origin in origins)
    worker = str(_WORKER)
    return [sys.executable, "-I", "-S", worker, str(Path(__file__).parent), *directories]


def _environment() -> dict[str, str]:
    """What Python may need to be found by the linker. Keys and tokens stay with the server."""
    return {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}


def _stands(answer: Any) -> dict[str, bool]:
    match answer:
        case {"walls": dict(walls)}:
            return walls
    raise Broken("says what it was not asked")


def _listed(walls: Mapping[str, bool]) -> str:
    standing = ", ".join(name for name, stands in walls.items() if stands) or "none"
    refused = ", ".join(name for name, stands in walls.items() if not stands)
    return f"{standing}; the kernel refused: {refused}" if refused else standing


def _told(answer: Any, trials: int) -> list[str | None]:
    """What the child said of `trials`, from the process's answer: that, and how it ended.

    Raises Broken if it did not end by what it tried.
    """
    match answer:
        case [list(told), int(status)] if all(isinstance(one, str | None) for one in told):
            if (status == 0 and len(told) == trials) or (-status in _AT_FAULT):
                return told[:trials]
            how = f"by signal {-status}" if status < 0 else f"with {status}"
            raise Broken(f"lost its child, which ended {how}")
    raise Broken("says what it was not asked")

"""Work on what clients send, in a process that may be killed.

Grammars and validators of hostile schemas can take any time and memory, and libraries have limits
of their own only in part. So a schema is first tried here: in a child process with limits, which
is gone afterwards with all that it held. Nothing that failed here reaches the engine.
"""

import subprocess
import sys
import weakref
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Literal, NamedTuple

import orjson

from functionary_sgl.errors import EngineError

_WORKER = Path(__file__).with_name("worker.py")


class Trial(NamedTuple):
    """One thing to try.

    json_schema, regex: whether the grammar engine takes `source`, and some tokens of it.
    validator: whether `source` is a JSON Schema, as text.
    valid: whether `instance` (text) is JSON that satisfies it.
    """

    kind: Literal["json_schema", "regex", "validator", "valid"]
    source: str
    instance: str = ""


class Sandbox:
    """Tries things one after the other. Thread-safe.

    `tokenizer`: `tokenizer.json` as text, or "byte" for one token per byte; `vocabulary_size` and
    `end_ids` as in the engine.
    """

    def __init__(
        self,
        tokenizer: str = "byte",
        vocabulary_size: int | None = None,
        end_ids: Sequence[int] | None = None,
    ) -> None:
        self._setup = [tokenizer, vocabulary_size, end_ids]
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Have the process ready, so that the first trial need not wait for it."""
        with self._lock:
            self._running()

    def run(self, trials: Sequence[Trial], seconds: float) -> list[str | None]:
        """For each trial what is wrong, or None; fewer than there are trials if they took more
        processor time than `seconds` (or too much memory): the one after the last was at fault.

        Raises EngineError if the process cannot be had.
        """
        with self._lock:
            process = self._running()
            try:
                return _ask(process, [seconds, [list(trial) for trial in trials]])
            except OSError as error:
                self._stop()
                raise EngineError(f"Schemas cannot be checked: {error}") from error

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._stop()

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            self._stop()
            self._process = subprocess.Popen(
                [sys.executable, str(_WORKER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            self._finalizer = weakref.finalize(self, _end, self._process)
            _ask(self._process, self._setup)
        return self._process

    def _stop(self) -> None:
        if self._process is not None:
            self._finalizer()
            self._process = None


@cache
def bytewise() -> Sandbox:
    """A sandbox with a token per byte, shared by all that need no tokenizer of their own."""
    return Sandbox()


def _ask(process: "subprocess.Popen[bytes]", message: object) -> list[str | None]:
    """Send one line; the answers, a line each, up to an empty one."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(orjson.dumps(message) + b"\n")
    process.stdin.flush()
    answers = []
    while (line := process.stdout.readline()) != b"\n":
        if not line:
            raise BrokenPipeError("their process has died")
        answers.append(orjson.loads(line))
    return answers


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.communicate()

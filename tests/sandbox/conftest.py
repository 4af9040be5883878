"""Sandboxes whose process knows some trials more, and what a test wants to know of processes."""

import os
import select
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from functionary_sgl import sandbox as module
from functionary_sgl.sandbox import Sandbox, Trial
from functionary_sgl.sandbox.process import _processes
from tests.waiting import until

WORKER = Path(__file__).with_name("worker.py")

PLAIN = [Trial("lark", 'start: "{}"')]
SPIN = [Trial("spin", "")]  # type: ignore[arg-type]
AGES = 1e6

PATIENCE = 60.0
"""After so many seconds, what has not happened will not happen."""


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.setattr(module, "_WORKER", WORKER)
    sandbox = Sandbox()
    yield sandbox
    sandbox.close()


def pid(sandbox: Sandbox) -> int:
    """Of its process; 0 while there is none."""
    running = sandbox._process
    return running.pid if running else 0


def child(of: Callable[[], int]) -> int:
    """The child of the process `of()`, as soon as there is one that has worked."""

    def working() -> int:
        parent = of()
        found = _processes(parent) if parent else {}
        return next((pid for pid, (_, time) in found.items() if pid != parent and time), 0)

    return eventually(working)


eventually = partial(until, seconds=PATIENCE)
"""As `until`, as long as a process may take here."""


class Ends:
    """Waits for the end of processes that are not this one's."""

    def __init__(self, *pids: int) -> None:
        self._files = [os.pidfd_open(pid) for pid in pids]

    def wait(self) -> None:
        for file in self._files:
            poll = select.poll()
            poll.register(file, select.POLLIN)
            assert poll.poll(PATIENCE * 1000), "a process is left"
            os.close(file)

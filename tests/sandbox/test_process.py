"""A process is asked and ended, whatever it does."""

import os
import signal
import sys

import pytest

from functionary_sgl.sandbox.process import Broken, Process, _processes
from tests.sandbox.conftest import Ends, eventually


def process(source: str) -> Process:
    return Process([sys.executable, "-c", source])


@pytest.mark.parametrize(
    ("source", "broken"),
    [
        ("", "has died"),
        ("input()", "has died"),
        ("input(); print('[1', end='')", "has died"),
        ("input(); print('[1')", "JSON"),
        ("input(); print()", "JSON"),
        ("import os; os.close(0); input()", "has died"),
        ("import time; input(); time.sleep(1e6)", "stands still"),
        ("import os, signal; input(); os.kill(os.getpid(), signal.SIGSTOP)", "was stopped"),
        ("import os, sys; os.fork() and sys.exit(); input()", "has died|stands still"),
    ],
)
def test_what_cannot_answer(source: str, broken: str) -> None:
    asked = process(source)
    with pytest.raises(Broken, match=broken):
        asked.ask({})
    asked.end()


def test_what_answers() -> None:
    asked = process("while True: print(input(), flush=True)")
    large = {"a": "x" * 1_000_000}
    assert asked.ask(large) == large
    assert asked.ask(2) == 2
    assert asked.idle()
    os.kill(asked.pid, signal.SIGKILL)
    eventually(lambda: not asked.idle())
    asked.end()


def test_what_talks_unasked_is_not_idle() -> None:
    asked = process("print(1, flush=True); input()")
    eventually(lambda: not asked.idle())
    asked.end()


def test_nothing_is_left_of_what_it_forked() -> None:
    asked = process("import os\nfor _ in range(4): os.fork()\nprint(input(), flush=True)\ninput()")
    eventually(lambda: len(_processes(asked.pid)) == 16)
    ends = Ends(*_processes(asked.pid))
    asked.end()
    ends.wait()

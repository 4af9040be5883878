"""A sandbox answers, whatever becomes of its process."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Thread

import pytest

from functionary_sgl.errors import EngineError
from functionary_sgl.sandbox import Sandbox, Trial, process
from tests.sandbox.conftest import AGES, PLAIN, SPIN, WORKER, Ends, child, eventually, pid


def trial(kind: str, source: object = "") -> list[Trial]:
    return [Trial(kind, str(source))]  # type: ignore[arg-type]


def spinning(sandbox: Sandbox, executor: ThreadPoolExecutor) -> "Future[list[str | None]]":
    """It tries what never ends, in a process that has a child by now."""
    sandbox.start()
    future = executor.submit(sandbox.run, SPIN, AGES)
    child(lambda: pid(sandbox))
    return future


def ended(sandbox: Sandbox, first: int, future: "Future[list[str | None]]") -> None:
    """Another process than `first` tries it again; there it takes too much time."""
    eventually(lambda: pid(sandbox) not in (0, first))
    os.kill(child(lambda: pid(sandbox)), signal.SIGPROF)
    assert future.result() == []


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL, signal.SIGTERM])
def test_a_process_that_died_or_stands_still_between_questions(
    sandbox: Sandbox, number: int
) -> None:
    assert sandbox.run(PLAIN, 1) == [None]
    first = pid(sandbox)
    os.kill(first, number)
    assert sandbox.run(PLAIN, 1) == [None]
    assert pid(sandbox) != first


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL])
@pytest.mark.parametrize("whose", ["process", "child"])
def test_one_that_dies_or_stands_still_in_a_trial(
    sandbox: Sandbox, number: int, whose: str
) -> None:
    with ThreadPoolExecutor() as executor:
        future = spinning(sandbox, executor)
        first, its_child = pid(sandbox), child(lambda: pid(sandbox))
        ends = Ends(first, its_child)
        os.kill(first if whose == "process" else its_child, number)
        ended(sandbox, first, future)
        ends.wait()


def test_a_message_that_fills_the_pipe_of_one_that_stands_still(sandbox: Sandbox) -> None:
    sandbox.start()
    os.kill(pid(sandbox), signal.SIGSTOP)
    schema = '{"description": "%s"}' % ("x" * 1_000_000)
    assert sandbox.run([Trial("validator", schema)], 1) == [None]


def test_what_stands_still_twice(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "LOOK_SECONDS", 0.05)
    with pytest.raises(EngineError, match="stands still"):
        sandbox.run(trial("wait"), AGES)
    assert sandbox.run(PLAIN, 1) == [None]


def test_where_the_kernel_does_not_tell_a_clock_does(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.start()
    monkeypatch.setattr(process, "_processes", lambda session: {})
    monkeypatch.setattr(process, "DEADLINE_SECONDS", 0.3)
    running = sandbox._running()
    with pytest.raises(process.Broken, match="has not answered"):
        running.ask([AGES, [list(one) for one in SPIN]])


def test_what_runs_does_not_stand_still(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.start()
    first = pid(sandbox)
    monkeypatch.setattr(process, "LOOK_SECONDS", 0.02)
    assert sandbox.run([*PLAIN, *SPIN], 0.3) == [None]
    assert pid(sandbox) == first


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_that_somebody_kills_says_nothing_of_the_schema(
    sandbox: Sandbox, number: int
) -> None:
    with ThreadPoolExecutor() as executor:
        future = spinning(sandbox, executor)
        first = pid(sandbox)
        os.kill(child(lambda: first), number)
        eventually(lambda: pid(sandbox) not in (0, first))
        os.kill(child(lambda: pid(sandbox)), number)
        with pytest.raises(EngineError, match=f"ended by signal {int(number)}"):
            future.result()


@pytest.mark.parametrize("status", [0, 1])
def test_a_child_that_leaves_says_nothing_of_the_schema(sandbox: Sandbox, status: int) -> None:
    with pytest.raises(EngineError, match=f"ended with {status}"):
        sandbox.run(trial("leave", status), 1)


@pytest.mark.parametrize("number", [signal.SIGPROF, signal.SIGABRT, signal.SIGSEGV])
def test_a_child_that_dies_of_its_trial(sandbox: Sandbox, number: int) -> None:
    with ThreadPoolExecutor() as executor:
        future = spinning(sandbox, executor)
        os.kill(child(lambda: pid(sandbox)), number)
        assert future.result() == []


def test_a_child_that_takes_too_much(sandbox: Sandbox) -> None:
    assert sandbox.run([*PLAIN, *SPIN], 0.1) == [None]
    assert sandbox.run([*PLAIN, *trial("allocate")], 60) == [None, "MemoryError"]


def test_threads_that_ask_while_it_is_killed(sandbox: Sandbox) -> None:
    sandbox.start()
    with ThreadPoolExecutor(8) as executor:
        futures = [executor.submit(sandbox.run, PLAIN, 1) for _ in range(40)]
        os.kill(pid(sandbox), signal.SIGKILL)
        assert [future.result() for future in futures] == [[None]] * 40


def test_who_was_interrupted_leaves_no_answer_to_others(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.start()
    first = pid(sandbox)
    with monkeypatch.context() as patch:
        patch.setattr(process._Watch, "look", interrupted)
        with pytest.raises(KeyboardInterrupt):
            sandbox.run(SPIN, 1)
    assert sandbox.run(PLAIN, 1) == [None]
    assert pid(sandbox) != first


def interrupted(_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_one_that_dies_is_there_again_before_anybody_asks(sandbox: Sandbox, number: int) -> None:
    sandbox.start()
    for _ in range(2):
        first = pid(sandbox)
        os.kill(first, number)
        eventually(lambda first=first: pid(sandbox) not in (0, first))  # type: ignore[misc]
    second = pid(sandbox)
    assert sandbox.run(PLAIN, 1) == [None]
    assert pid(sandbox) == second


def test_one_that_is_closed_stays_so(sandbox: Sandbox) -> None:
    sandbox.start()
    before = set(threads())
    sandbox.close()
    eventually(lambda: before > set(threads()))  # whoever waited for its end has seen it
    assert pid(sandbox) == 0


def threads() -> list[Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "sandbox"]


def test_one_that_is_closed_is_not_started_by_who_comes_later(sandbox: Sandbox) -> None:
    sandbox.start()
    sandbox.close()
    with pytest.raises(EngineError, match="the server ends"):
        sandbox.run([Trial("json", "{}")], 1.0)
    assert sandbox._process is None


def test_the_thread_that_started_it_may_end(sandbox: Sandbox) -> None:
    thread = Thread(target=sandbox.start)
    thread.start()
    thread.join()
    first = pid(sandbox)
    assert sandbox.run(PLAIN, 1) == [None]
    assert pid(sandbox) == first


def test_no_process_can_be_had(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(EngineError, match="cannot be started"):
        sandbox.start()


SERVER = """
import sys
from pathlib import Path
from functionary_sgl import sandbox as module
from tests.sandbox.conftest import AGES, SPIN
module._WORKER = Path(sys.argv[1])
sandbox = module.Sandbox()
sandbox.start()
print(sandbox._process.pid, flush=True)
sandbox.run(SPIN, AGES)
"""


@pytest.mark.parametrize("stopped", ["nobody", "process", "child"])
def test_nothing_stays_when_the_server_is_killed(stopped: str) -> None:
    command = [sys.executable, "-c", SERVER, str(WORKER)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        first = int(server.stdout.readline())
        its_child = child(lambda: first)
        ends = Ends(first, its_child)
        if stopped != "nobody":
            os.kill(first if stopped == "process" else its_child, signal.SIGSTOP)
        server.kill()
        ends.wait()

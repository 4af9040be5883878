"""The process of a sandbox as the server sees it: started, asked, and ended whatever it does.

No clock says how long an answer may take, since the machine may be busy: the process limits its own
processor time. What is seen here is whether it could go on at all. While an answer is owed, the
kernel is asked now and then what the process and its children do; if they neither run nor wait for
a processor or a disk, nor have used any time, nothing will come of it.
"""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from threading import Thread
from typing import Any

import orjson

LOOK_SECONDS = 0.2
"""How long an answer is awaited before the kernel is asked what the process does."""

LOOKS = 2
"""How often in a row nothing may have happened since the look before."""

DEADLINE_SECONDS = 300.0
"""When waiting ends in any case: where /proc does not tell, or a disk never answers."""

END_SECONDS = 10.0
"""How long a process that was killed is awaited: one that waits for a disk does not die."""


class Broken(Exception):
    """The process cannot answer: it is dead, stands still, or talks nonsense."""


class Process:
    """Takes a line of JSON and gives one, again and again. Not thread-safe.

    It leads a session of its own, with all that it forks. Its stderr is the server's.
    """

    def __init__(
        self,
        command: Sequence[str],
        died: Callable[["Process"], None] = lambda _: None,
        **options: Any,
    ) -> None:
        """`died` is called with it, on another thread, when it ends before it is told to;
        `options`: more for Popen. Raises Broken if the command cannot be started."""
        self._died = died
        self._ended = False
        try:
            self._process = _kept(command, options, self._gone)
        except OSError as error:
            raise Broken(f"cannot be started: {error}") from error
        self.pid = self._process.pid
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin = self._process.stdin.fileno()
        self._stdout = self._process.stdout.fileno()
        os.set_blocking(self._stdin, False)  # one that stands still does not read

    def _gone(self) -> None:
        if not self._ended:
            self._died(self)

    def idle(self) -> bool:
        """Whether it lives, and has said nothing that it was not asked for."""
        poll = select.poll()
        poll.register(self._stdout, select.POLLIN)
        return not poll.poll(0)

    def ask(self, message: object, looks: int = LOOKS) -> Any:
        """What it answers to `message`; `looks` as LOOKS. Raises Broken."""
        try:
            return orjson.loads(
                self._answer(orjson.dumps(message) + b"\n", _Watch(self.pid, looks))
            )
        except OSError as error:
            raise Broken(f"has died: {error.strerror}") from error
        except orjson.JSONDecodeError as error:
            raise Broken(f"does not speak JSON: {error}") from error

    def _answer(self, question: bytes, watch: "_Watch") -> bytes:
        unsent, answer = memoryview(question), bytearray()
        poll = select.poll()
        poll.register(self._stdin, select.POLLOUT)
        poll.register(self._stdout, select.POLLIN)
        while not answer.endswith(b"\n"):
            ready = [file for file, _ in poll.poll(LOOK_SECONDS * 1000)]
            if not ready:
                watch.look()
            if self._stdin in ready:
                with suppress(BlockingIOError):
                    unsent = unsent[os.write(self._stdin, unsent) :]
                if not unsent:
                    poll.unregister(self._stdin)
            if self._stdout in ready:
                part = os.read(self._stdout, 1 << 16)
                if not part:
                    raise Broken("has died")
                answer += part
        return bytes(answer)

    def end(self) -> None:
        """Kill it and all that it forked."""
        self._ended = True
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


class _Watch:
    """Over the processes of `session`, from the beginning of a question."""

    def __init__(self, session: int, looks: int) -> None:
        self._session = session
        self._looks = looks
        self._seen: Mapping[int, tuple[str, int]] = {}
        self._still = 0
        self._deadline = time.monotonic() + DEADLINE_SECONDS

    def look(self) -> None:
        """Raises Broken if nothing will come of it."""
        now = _processes(self._session)
        states = {state for state, _ in now.values()}
        if "T" in states:
            raise Broken("was stopped")
        still = now and now == self._seen and not states & {"R", "D"}
        self._still = self._still + 1 if still else 0
        self._seen = now
        if self._still >= self._looks:
            raise Broken("stands still")
        if time.monotonic() > self._deadline:
            raise Broken(f"has not answered for {DEADLINE_SECONDS:.0f} seconds")


def _processes(session: int) -> dict[int, tuple[str, int]]:
    """By the id of each process of `session`, its state (a letter) and its processor time in ticks
    as of proc(5); nothing where /proc hides them."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdecimal():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    fields = file.read().rpartition(b")")[2].split()
            except OSError:  # it is gone meanwhile
                continue
            if int(fields[3]) == session:
                found[int(name)] = fields[0].decode(), int(fields[11]) + int(fields[12])
    return found


def _kept(
    command: Sequence[str], options: Mapping[str, Any], gone: Callable[[], None]
) -> "subprocess.Popen[bytes]":
    """Start `command` from a thread that stays as long as the process does, and then calls `gone`:
    it asks to be killed when its parent dies, and the kernel takes the thread that forked it for
    its parent."""
    started: Future[subprocess.Popen[bytes]] = Future()

    def keep() -> None:
        pipe = subprocess.PIPE
        try:
            process = subprocess.Popen(
                command, bufsize=0, stdin=pipe, stdout=pipe, start_new_session=True, **options
            )
        except BaseException as error:
            started.set_exception(error)
            return
        started.set_result(process)
        # Nobody's id may be that of the process before all that it forked is killed: not reaped.
        with suppress(ChildProcessError):
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        gone()

    Thread(target=keep, name="sandbox", daemon=True).start()
    return started.result()

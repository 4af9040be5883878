"""Files that SGLang's processes would leave behind.

They share memory by files in /dev/shm, talk over sockets in a temporary directory, and are killed
at their end, so nobody removes these. The server does when it ends in order; a small process that
waits for its end does when it was killed.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

_SWEEPER = Path(__file__).with_name("sweeper.py")

_SHARED = Path("/dev/shm")

_OURS = ("sglang_loads_", "sgl_shm_", "sem.mp-", "psm_")
"""How names begin in /dev/shm that SGLang and multiprocessing make."""


class Leftovers:
    """Those of the processes of this one, and of `sockets`; known once all have started."""

    def __init__(self, sockets: Iterable[str]) -> None:
        self._files = set(sockets)
        self._sweeper = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_SWEEPER)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        # What was started leaves another in its place, which is nobody's child: SGLang kills these.
        self._sweeper.wait()

    def note(self) -> None:
        """Look what there is. What was there before stays noted: its process may have died."""
        processes = [os.getpid(), *(child.pid for child in psutil.Process().children(True))]
        self._files |= {file for pid in processes for file in _mapped(pid)}
        self._tell(self._files)

    def remove(self) -> None:
        """Remove what was noted; call it when the processes are gone."""
        for file in self._files:
            with suppress(OSError):
                os.unlink(file)
        self._tell([])
        assert self._sweeper.stdin is not None
        self._sweeper.stdin.close()

    def _tell(self, files: Iterable[str]) -> None:
        assert self._sweeper.stdin is not None
        with suppress(OSError):  # whoever killed it did not want it
            self._sweeper.stdin.write(json.dumps(sorted(files)).encode() + b"\n")
            self._sweeper.stdin.flush()


def sockets(port_args: Any) -> Iterator[str]:
    """The files of the sockets that SGLang's processes meet at."""
    for name in vars(port_args).values():
        if isinstance(name, str) and name.startswith("ipc://"):
            yield name.removeprefix("ipc://")


def _mapped(pid: int) -> Iterator[str]:
    """Files of ours in /dev/shm that the process `pid` has in its memory."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            file = Path(line.split(maxsplit=5)[-1])
            if file.parent == _SHARED and file.name.startswith(_OURS):
                yield str(file)

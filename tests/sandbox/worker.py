"""The sandbox's own worker, with trials that do what no schema should be able to."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, sys.argv[1])

import worker
from intrusions import INTRUSIONS


def spin(_: Any, __: str, ___: str) -> None:
    while True:
        pass


def wait(_: Any, __: str, ___: str) -> None:
    lock = Lock()
    lock.acquire()
    lock.acquire()


def leave(_: Any, status: str, __: str) -> None:
    os._exit(int(status))


def allocate(_: Any, __: str, ___: str) -> None:
    kept = []
    while True:
        kept.append(bytearray(1 << 20))


def trial(intrusion: Callable[[str], None]) -> Callable[[Any, str, str], None]:
    return lambda _, argument, __: intrusion(argument)


if __name__ == "__main__":
    worker.TRIALS |= {"spin": spin, "wait": wait, "leave": leave, "allocate": allocate}
    worker.TRIALS |= {name: trial(intrusion) for name, intrusion in INTRUSIONS.items()}
    worker.main()

"""The sandbox's own worker, with trials that do what no schema should be able to."""

import os
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "functionary_sgl" / "sandbox"))

import worker


def spin(_: Any, __: str, ___: str) -> None:
    while True:
        pass


def sleep(_: Any, __: str, ___: str) -> None:
    time.sleep(1e6)


def leave(_: Any, status: str, __: str) -> None:
    os._exit(int(status))


def allocate(_: Any, __: str, ___: str) -> None:
    kept = []
    while True:
        kept.append(bytearray(1 << 20))


if __name__ == "__main__":
    worker.TRIALS |= {"spin": spin, "sleep": sleep, "leave": leave, "allocate": allocate}
    worker.main()

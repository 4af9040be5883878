"""Waiting for what comes to pass by itself."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(happens: Callable[[], T], seconds: float = 10) -> T:
    """What `happens` gives as soon as that is true; AssertionError if it is not within so long."""
    end = time.monotonic() + seconds
    while not (found := happens()):
        assert time.monotonic() < end, f"it has not happened within {seconds} s"
        time.sleep(0.005)
    return found

"""What a start that takes long has to say meanwhile."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from functionary_sgl.cli import logs

STILL_SECONDS = 30
"""How often it is told that it goes on."""


@contextmanager
def told(what: str) -> Iterator[None]:
    """Say on standard error that `what` begins, now and then that it goes on, and how long it
    took; of what fails the error says enough."""
    begun = time.monotonic()
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(STILL_SECONDS):
            logs.tell(f"{what}: {time.monotonic() - begun:.0f} s so far")

    logs.tell(f"{what} ...")
    telling = threading.Thread(target=go_on, name="progress", daemon=True)
    telling.start()
    try:
        yield
    finally:
        over.set()
        telling.join()
    logs.tell(f"{what}: done in {time.monotonic() - begun:.0f} s")

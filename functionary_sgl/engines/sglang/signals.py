"""The signals that SGLang would handle, and what they say."""

from collections.abc import Callable
from typing import Any


class SignalHandlers:
    """In the form that SGLang's TokenizerManager expects."""

    def __init__(self, stop: Callable[[], None], die: Callable[[], None]) -> None:
        self._stop = stop
        self._die = die

    def sigterm_handler(self, signum: Any = None, frame: Any = None) -> None:
        self._stop()

    def running_phase_sigquit_handler(self, signum: Any = None, frame: Any = None) -> None:
        self._die()


def who_died(manager: Any) -> str:
    """Which of SGLang's processes, and of what."""
    watchdog = manager._subprocess_watchdog
    ended = [
        f"{name} (exit code {process.exitcode})"
        for process, name in zip(watchdog._processes, watchdog._names, strict=True)
        if process.exitcode is not None
    ]
    who = ", ".join(ended) or "an unknown one"
    return f"A process of the engine died, {who}; its output above says why."

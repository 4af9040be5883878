"""What the process logs of errors that nobody foresaw: where they happened, and not what they say.

An exception's text may quote what it is about, and in a server that is what clients send. So logs
have tracebacks without it, but for the levels with which one looks for a bug.
"""

import asyncio
import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_WITH_TEXTS = ("trace", "debug")

logger = logging.getLogger(__name__)


@contextmanager
def texts_kept_out(level: str) -> Iterator[None]:
    """Whoever logs in this process, unless `level` is one for looking at bugs."""
    made = logging.getLogRecordFactory()
    hooks = sys.unraisablehook, threading.excepthook

    def record(*args: Any, **kwargs: Any) -> logging.LogRecord:
        new = made(*args, **kwargs)
        if level not in _WITH_TEXTS and new.exc_info and new.exc_info[1] is not None:
            new.exc_text = without_texts(new.exc_info[1])
            new.exc_info = None
        return new

    logging.setLogRecordFactory(record)
    # Python tells by itself of errors that nobody waits for.
    sys.unraisablehook = lambda told: _log("an error that nobody can catch", told.exc_value)
    threading.excepthook = lambda told: _log("a thread ended with an error", told.exc_value)
    try:
        yield
    finally:
        logging.setLogRecordFactory(made)
        sys.unraisablehook, threading.excepthook = hooks


def of_loop(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """An exception handler for event loops: asyncio's own tells what a task was given, too."""
    _log(context["message"], context.get("exception"))


def without_texts(error: BaseException) -> str:
    """The traceback of `error` and of what led to it, in which it is its kind alone."""
    return "\n".join(_parts(error, set())).rstrip("\n")


def _parts(error: BaseException, told: set[int]) -> Iterator[str]:
    told.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in told:
        yield from _parts(before, told)
        yield "which led to\n"
    yield "Traceback (most recent call last):"
    yield "".join(traceback.format_tb(error.__traceback__)) + _kind(error)
    for inner in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield "\nwith, in it,\n"
        yield from _parts(inner, told)


def _kind(error: BaseException) -> str:
    # What the system says, without the name of a file.
    reason = f": {error.strerror}" if isinstance(error, OSError) else ""
    kind = type(error)
    return f"{kind.__module__}.{kind.__qualname__}{reason}\n"


def _log(message: str, error: BaseException | None) -> None:
    logger.error("%s", message, exc_info=error)

"""What the process logs, and where; of errors that nobody foresaw where they happened, and not what
they say.

An exception's text may quote what it is about, and in a server that is what clients send. So logs
have tracebacks without it, but for the levels with which one looks for a bug.
"""

import argparse
import asyncio
import json
import logging
import os
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from functionary_sgl import tracing
from functionary_sgl.api.recording import LOOKS, WORK
from functionary_sgl.log_lines import FIELDS, JSONLines, TextLines

LEVELS = ("critical", "error", "warning", "info", "debug", "trace")

_TRACE = 5
"""uvicorn's level."""

_WITH_TEXTS = ("trace", "debug")

logger = logging.getLogger(__name__)


SERVER = logging.getLogger("functionary_sgl.server")
"""For what whoever runs the server is told."""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that are about what is logged and traced, and how."""
    add = parser.add_argument
    add("--log-level", choices=LEVELS, default="error", help="default: error")
    add(
        "--log-format",
        choices=("text", "json"),
        default="text",
        help="lines for people, or a JSON object in each; default: text",
    )
    add(
        "--request-log",
        choices=("on", "off"),
        default="on",
        help="a line for each request that asks for work or fails, at every level; default: on",
    )
    add(
        "--otlp-endpoint",
        metavar="URL",
        help=f"a collector that takes OpenTelemetry's traces over HTTP ({tracing.EXTRA})",
    )


def begin(options: argparse.Namespace) -> None:
    """Have all loggers of this process write to standard error, as the flags say. SGLang has its
    own way when it starts: call it before and after that."""
    handler = _StandardError()
    handler.setFormatter(JSONLines() if options.log_format == "json" else TextLines())
    for name in ("", *logging.root.manager.loggerDict):
        logger = logging.getLogger(name)
        for other in logger.handlers[:]:
            if type(other) in (logging.StreamHandler, _StandardError):
                logger.removeHandler(other)
                logger.propagate = True
    level = options.log_level
    logging.root.addHandler(handler)
    logging.root.setLevel(_TRACE if level == "trace" else level.upper())
    SERVER.setLevel(logging.INFO)
    told = options.request_log == "on"
    WORK.setLevel(logging.INFO if told else logging.CRITICAL)
    LOOKS.setLevel(logging.NOTSET if told else logging.CRITICAL)


@contextmanager
def json_of_children(options: argparse.Namespace) -> Iterator[None]:
    """Processes of SGLang that are started write JSON too, if the flags say so, and unless whoever
    runs this has told SGLang otherwise."""
    variable = "SGLANG_LOGGING_CONFIG_PATH"
    if options.log_format != "json" or variable in os.environ:
        yield
        return
    config = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": f"{JSONLines.__module__}.{JSONLines.__name__}"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": options.log_level.upper()},
    }
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "logging.json"
        file.write_text(json.dumps(config))
        os.environ[variable] = str(file)
        try:
            yield
        finally:
            del os.environ[variable]


def tell(message: str, **fields: str) -> None:
    """Tell whoever runs the server, at every level; `fields` are for those who read JSON."""
    if any(isinstance(handler.formatter, JSONLines) for handler in logging.root.handlers):
        SERVER.info("%s", message, extra={FIELDS: fields})
    else:
        print(f"functionary-sgl: {message}", file=sys.stderr, flush=True)


class _StandardError(logging.Handler):
    """Writes to what is standard error when something is logged."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            print(self.format(record), file=sys.stderr, flush=True)
        except Exception:
            self.handleError(record)


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

"""The lines of the log: for people, or an object each. Whoever logs while a request is answered has
its id in the line."""

import logging
import time
from typing import Any

import orjson

from functionary_sgl import record

FIELDS = "fields"
"""The attribute of a `logging.LogRecord` that has more to say than its message, by name."""


class TextLines(logging.Formatter):
    """`2026-11-27 21:55:01 ERROR [req_1] what happened`, in the machine's time."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        when = self.formatTime(record, "%Y-%m-%d %H:%M:%S")
        return " ".join([when, record.levelname, *_bracketed_id(), record.message])


class JSONLines(logging.Formatter):
    """An object in each line: `time` (UTC), `level`, `logger` and `message`, and what there is of
    `request_id`, `traceback` and the line's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        said: dict[str, Any] = {
            "time": f"{seconds}.{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if id := _id():
            said["request_id"] = id
        if record.exc_text:
            said["traceback"] = record.exc_text
        elif record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(said | getattr(record, FIELDS, {})).decode()


def _id() -> str:
    return record.current().id


def _bracketed_id() -> list[str]:
    return [f"[{id}]"] if (id := _id()) else []

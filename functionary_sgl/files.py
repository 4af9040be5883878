"""Files that users bring: what is wrong with one is told in one line that names it."""

import json
from pathlib import Path
from typing import Any

from functionary_sgl.errors import UsageError


def exists(path: Path) -> bool:
    """Whether there is anything at `path`, a link to nothing included: that is no missing file but
    a broken one. UsageError if it cannot be told."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error
    return True


def is_directory(path: Path) -> bool:
    """UsageError for a name that no file can have, or if it cannot be told."""
    try:
        return path.is_dir()
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> UsageError:
    return UsageError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}")


def check_readable(path: Path) -> None:
    """UsageError if nothing can be read from there."""
    try:
        with path.open("rb") as opened:
            opened.read(1)
    except OSError as error:
        raise unreadable(path, error) from error


def read_text(path: Path, encoding: str = "utf-8") -> str:
    """The UTF-8 text of a file, or UsageError."""
    try:
        return path.read_text(encoding=encoding)
    except OSError as error:
        raise unreadable(path, error) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text") from error


def read_object(path: Path, *, optional: bool = False) -> dict[str, Any]:
    """The JSON object of a file, or UsageError; if `optional`, an empty one for no file."""
    if optional and not exists(path):
        return {}
    return parse_object(read_text(path), path)


def parse_object(text: str, path: Path) -> dict[str, Any]:
    """The JSON object that `text` is, which was read from `path`; or UsageError."""
    try:
        content = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{path} cannot be read as JSON: {error}") from error
    except RecursionError as error:
        raise UsageError(f"{path} cannot be read as JSON: it is nested too deep") from error
    if not isinstance(content, dict):
        raise UsageError(f"{path} cannot be read: it is {kind(content)}, not a JSON object")
    return content


def kind(value: Any) -> str:
    """What a JSON value is, for messages."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return "a text"
        case list():
            return "a list"
        case dict():
            return "an object"
    return "a number"

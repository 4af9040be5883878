"""A file of API keys: one on each line, and behind it what it is called and what it may.

    sk-3nq0...  name=shop  max-parallel-requests=8  max-requests-per-minute=600
    sk-9vb2...  name=ops  admin=yes
    sk-77fa...

docs/keys.md says what each means.
"""

import re
from pathlib import Path

from functionary_sgl import files
from functionary_sgl.api.keys import Key, Limits
from functionary_sgl.errors import UsageError
from functionary_sgl.rate import MOST

_BLANKS = re.compile("[ \t]+")
_NAME = re.compile(r"[0-9A-Za-z._-]{1,64}")
SETTINGS = ("name", "admin", "max-parallel-requests", "max-requests-per-minute")
_UNLIMITED = "none"


def read(file: Path, default: Limits) -> list[Key]:
    """The keys of `file`, with the limits of `default` where it sets none. UsageError, which never
    shows a key, if there is none, or anything is wrong."""
    # Of editors some begin a text with a byte order mark.
    lines = files.read_text(file, encoding="utf-8-sig").split("\n")
    keys: dict[bytes, Key] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key = _Line(line, f"{file} line {number}").key(default)
        if keys.setdefault(key.digest, key) != key:
            raise UsageError(f"{file} line {number} has a key again, with other settings")
    if not keys:
        raise UsageError(f"{file} has no key; put one on each line")
    return list(keys.values())


def checked(text: str, source: str) -> str:
    """The key that `text` is; errors name its `source` and never the key."""
    key = text.strip()
    if not key:
        raise UsageError(f"{source} is blank; give a key, or none to serve everyone")
    if any(ord(character) < 32 or ord(character) == 127 for character in key):
        raise UsageError(f"{source} has control characters, which no HTTP header can have")
    try:
        key.encode()
    except UnicodeEncodeError:  # which has the key in it
        raise UsageError(f"{source} is not UTF-8 text") from None
    return key


def limit(text: str) -> int | None:
    """The limit that `text` is, if it is one."""
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
    return number if 1 <= number <= MOST else None


class _Line:
    """A line with a key. `place` is what errors call it."""

    def __init__(self, line: str, place: str) -> None:
        self._key, *settings = _BLANKS.split(line.strip())
        self._place = place
        self._settings: dict[str, str] = {}
        for setting in settings:
            name, _, value = setting.partition("=")
            if name not in SETTINGS:  # which is not shown, for it may be of a key
                known = ", ".join(f"{known}=" for known in SETTINGS)
                raise self._error(f"has something behind its key that is none of {known}")
            if name in self._settings:
                raise self._error(f"has {name}= twice")
            self._settings[name] = value

    def key(self, default: Limits) -> Key:
        key = Key.of(checked(self._key, self._place))
        name = self._settings.get("name", key.name)
        if not _NAME.fullmatch(name):
            raise self._error("has a name= that is not up to 64 letters, digits and ._-")
        if self._settings.get("admin", "yes") != "yes":
            raise self._error("has an admin= that is not admin=yes; leave it out for other keys")
        limits = Limits(
            self._limit("max-parallel-requests", default.parallel),
            self._limit("max-requests-per-minute", default.per_minute),
        )
        return Key(key.digest, name, "admin" in self._settings, limits)

    def _limit(self, name: str, default: int | None) -> int | None:
        text = self._settings.get(name)
        if text is None or text == _UNLIMITED:
            return default if text is None else None
        if (number := limit(text)) is None:
            raise self._error(f"has a {name}= that is no whole number from 1 to {MOST}, nor none")
        return number

    def _error(self, what: str) -> UsageError:
        return UsageError(f"{self._place} {what}")

"""The API keys of a server: whose they are, what each may, and what it has used of that.

A key itself is not kept. What stands for it is its digest, which opens nothing.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from functionary_sgl.caller import Caller
from functionary_sgl.errors import KeyLimitReached
from functionary_sgl.rate import Rate
from functionary_sgl.room import Room

TOO_MANY_AT_ONCE = (
    "Rate limit reached for parallel requests: this key may have {most} at once, running and "
    "waiting. Send it again when one has ended."
)
TOO_MANY_A_MINUTE = (
    "Rate limit reached for requests per minute: this key may send {most}. Send it again later."
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a key may; None: any number. `parallel` counts turns, of which a request has `n`, those
    that run and those that wait; `per_minute` requests, those too that are refused for another
    reason."""

    parallel: int | None = None
    per_minute: int | None = None


UNLIMITED = Limits()


@dataclass(frozen=True, slots=True)
class Key:
    """A key, without what it is: its digest, what it is called, and what it may."""

    digest: bytes = field(repr=False)
    name: str
    is_admin: bool = False
    limits: Limits = UNLIMITED

    @classmethod
    def of(cls, key: str) -> Self:
        """The key that is `key`, with a name that tells it from others, and nobody what it is."""
        sent = key.encode()
        mark = hashlib.blake2b(sent, digest_size=4, person=b"key's name").hexdigest()
        return cls(_digest(sent), f"key-{mark}")


class Keyring:
    """The keys of a server, which may be others from one request to the next.

    A key is looked up by a digest that nobody outside can foresee: the time that takes does not
    tell how much of it is right.
    """

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self._blinding = secrets.token_bytes(32)
        self._callers: dict[bytes, Caller] = {}
        self.replace(keys)

    def __len__(self) -> int:
        return len(self._callers)

    def replace(self, keys: Iterable[Key]) -> None:
        """Know `keys` and no others. Requests under way go on, and what a key that stays has used
        of its limits, it has used."""
        known = {}
        for key in keys:
            place = self._place(key.digest)
            known[place] = _caller(key, self._callers.get(place, _new()))
        self._callers = known

    def caller(self, key: bytes) -> Caller | None:
        """Whose `key` is; None if it is nobody's, as an empty one always is."""
        return self._callers.get(self._place(_digest(key))) if key else None

    def _place(self, digest: bytes) -> bytes:
        return hmac.digest(self._blinding, digest, "sha256")


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()


def _caller(key: Key, before: Caller) -> Caller:
    """Who sends `key`, and has used what `before` has."""
    before.turns.most, before.requests.most = key.limits.parallel, key.limits.per_minute
    return Caller(key.name, key.digest, key.is_admin, before.turns, before.requests)


def _new() -> Caller:
    """One who has used nothing."""
    turns = Room(None, TOO_MANY_AT_ONCE, KeyLimitReached)
    return Caller("", b"", False, turns, Rate(None, TOO_MANY_A_MINUTE, KeyLimitReached))

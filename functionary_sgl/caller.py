"""Who sent a request, as far as the rest of its way needs to know."""

from dataclasses import dataclass

from functionary_sgl.rate import Rate
from functionary_sgl.room import Room


@dataclass(frozen=True, slots=True, eq=False)
class Caller:
    """Whoever sends a key.

    name: of the key, for logs, metrics and queues; never the key itself.
    tenant: a digest of the key, for what is kept apart by key.
    is_admin: whether it opens what is for administrators.
    turns: room for its turns, those that run and those that wait.
    requests: how many it may send in a minute.
    """

    name: str
    tenant: bytes
    is_admin: bool
    turns: Room
    requests: Rate


ANYONE = Caller("", b"", False, Room(None, ""), Rate(None, ""))
"""Who asks a server that has no keys, or for what no key is needed."""

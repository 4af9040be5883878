"""Responses that are kept, so that others can go on from them: in memory, or in a file of SQLite's.

What is kept is bounded in number, size and age. Where there is no room, whoever has the most loses
what it has not used for longest. What is of one key cannot be seen with another.
"""

import hashlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import orjson

from functionary_sgl.errors import BrokenChain, UsageError

Told = dict[str, Any]

VERSION = 1
"""Of the tables below; a file of another is not ours."""

_TABLES = """
CREATE TABLE responses (
    owner BLOB, id TEXT, previous TEXT, used REAL, size INTEGER, head BLOB,
    PRIMARY KEY (owner, id)
);
CREATE INDEX by_age ON responses (used);
CREATE INDEX by_owner ON responses (owner, used, size);
CREATE TABLE items (
    owner BLOB, response TEXT, is_output INTEGER, place INTEGER, id TEXT, body BLOB,
    PRIMARY KEY (owner, response, is_output, place)
) WITHOUT ROWID;
CREATE INDEX by_id ON items (owner, id);
CREATE TRIGGER with_its_items AFTER DELETE ON responses BEGIN
    DELETE FROM items WHERE owner = OLD.owner AND response = OLD.id;
END;
"""

# What a response goes on from, and itself: the first of them last.
_CHAIN = """
WITH RECURSIVE chain (id, previous, size, depth) AS (
    SELECT id, previous, size, 0 FROM responses WHERE owner = :owner AND id = :id
    UNION ALL
    SELECT r.id, r.previous, r.size, depth + 1 FROM chain
    JOIN responses r ON r.owner = :owner AND r.id = chain.previous
    LIMIT :most
)
SELECT id, previous, size FROM chain ORDER BY depth
"""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of what is kept: how many responses, of how many bytes all together, and for how many seconds
    since each was used."""

    responses: int = 10_000
    size: int = 256 * 2**20
    seconds: float = 30 * 24 * 3600

    @property
    def largest(self) -> int:
        """Bytes of one response and its input: nobody takes all the room by one request."""
        return self.size // 4


class ResponseStore:
    """Thread-safe. `path`: a file that is there, or can be made; None: in memory. `clock` tells
    seconds since 1970."""

    def __init__(
        self,
        bounds: Bounds | None = None,
        path: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """UsageError where `path` is no file of ours, or cannot be written to."""
        self.bounds = bounds or Bounds()
        self._clock = clock
        self._lock = Lock()
        self._database = _opened(path)

    def close(self) -> None:
        """Leave the file to others."""
        self._database.close()

    def keep(self, tenant: bytes, response: Told, given: Sequence[Told]) -> bool:
        """Keep `response` of `tenant`, and the items that were `given` for it, in the place of what
        was kept of it before; whether there is room for it."""
        owner, output = _owner(tenant), response["output"]
        head = orjson.dumps({**response, "output": []})
        bodies = [
            (owner, response["id"], is_output, place, item.get("id"), orjson.dumps(item))
            for is_output, items in ((0, given), (1, output))
            for place, item in enumerate(items)
        ]
        size = len(head) + sum(len(body) for *_, body in bodies)
        if size > self.bounds.largest or not self.bounds.responses:
            return False
        row = (owner, response["id"], response["previous_response_id"], self._clock(), size, head)
        with self._changing() as database:
            self._forget(database, owner, response["id"])
            database.execute("INSERT INTO responses VALUES (?, ?, ?, ?, ?, ?)", row)
            database.executemany("INSERT INTO items VALUES (?, ?, ?, ?, ?, ?)", bodies)
            self._make_room(database)
        return True

    def get(self, tenant: bytes, id: str) -> Told | None:
        """The response of this `id`; None where there is none."""
        key = (_owner(tenant), id)
        with self._changing() as database:
            found = _rows(database, "SELECT head FROM responses WHERE owner = ? AND id = ?", key)
            if not found:
                return None
            response: Told = orjson.loads(found[0][0])
            self._use(database, *key)
            return {**response, "output": _items(database, *key, is_output=1)}

    def delete(self, tenant: bytes, id: str) -> bool:
        """Whether there was one to forget."""
        with self._changing() as database:
            return self._forget(database, _owner(tenant), id)

    def item(self, tenant: bytes, id: str) -> Told | None:
        """The item of this `id`, the last of them; None where there is none."""
        with self._changing() as database:
            query = "SELECT response, body FROM items WHERE owner = ? AND id = ? LIMIT 1"
            found = _rows(database, query, (_owner(tenant), id))
            if not found:
                return None
            self._use(database, _owner(tenant), found[0][0])
            item: Told = orjson.loads(found[0][1])
            return item

    def said(self, tenant: bytes, id: str, most: int, size: int, *, answer: bool) -> list[Told]:
        """All items up to the response of this `id`: what it goes on from and what was given for
        it, and with `answer` its output. Raises BrokenChain where any of that is not kept, or it is
        more than `most` responses, or `size` bytes."""
        owner = _owner(tenant)
        with self._changing() as database:
            key = {"owner": owner, "id": id, "most": most + 1}
            chain = _rows(database, _CHAIN, key)
            if not chain:
                raise BrokenChain(f"Response with id '{id}' not found.")
            if len(chain) > most or sum(row[2] for row in chain) > size:
                raise BrokenChain(
                    f"What '{id}' goes on from is too much; begin anew with what matters of it."
                )
            if (missing := chain[-1][1]) is not None:
                raise BrokenChain(
                    f"'{id}' goes on from '{missing}', which is not kept any more; send its items."
                )
            said: list[Told] = []
            for earlier, _, _ in reversed(chain):
                self._use(database, owner, earlier)
                said += _items(database, owner, earlier, is_output=0)
                if earlier != id or answer:
                    said += _items(database, owner, earlier, is_output=1)
            return said

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """The database without what is too old, for one change that is whole or none."""
        with self._lock, self._database as database:
            oldest = self._clock() - self.bounds.seconds
            database.execute("DELETE FROM responses WHERE used < ?", (oldest,))
            yield database

    def _forget(self, database: sqlite3.Connection, owner: bytes, id: str) -> bool:
        query = "DELETE FROM responses WHERE owner = ? AND id = ?"
        return bool(database.execute(query, (owner, id)).rowcount)

    def _use(self, database: sqlite3.Connection, owner: bytes, id: str) -> None:
        query = "UPDATE responses SET used = ? WHERE owner = ? AND id = ?"
        database.execute(query, (self._clock(), owner, id))

    def _make_room(self, database: sqlite3.Connection) -> None:
        while True:
            owners = _rows(
                database, "SELECT owner, COUNT(*), SUM(size) FROM responses GROUP BY owner"
            )
            if sum(row[1] for row in owners) > self.bounds.responses:
                most = max(owners, key=lambda row: row[1])
            elif sum(row[2] for row in owners) > self.bounds.size:
                most = max(owners, key=lambda row: row[2])
            else:
                return
            database.execute(
                "DELETE FROM responses WHERE rowid = (SELECT rowid FROM responses WHERE owner = ? "
                "ORDER BY used LIMIT 1)",
                (most[0],),
            )


def _opened(path: Path | None) -> sqlite3.Connection:
    """A connection to the database in `path`, with our tables."""
    try:
        if path is not None:
            # What clients say is for nobody else on this machine.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        database = sqlite3.connect(path or ":memory:", check_same_thread=False)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version == 0 and not _rows(database, "SELECT 1 FROM sqlite_master"):
            database.executescript(_TABLES)
            database.execute(f"PRAGMA user_version = {VERSION}")
        elif version != VERSION:
            raise UsageError(f"the store {path} is of another version, or another program's")
    except (OSError, sqlite3.Error) as error:
        raise UsageError(f"the store {path} cannot be opened: {error}") from error
    return database


def _owner(tenant: bytes) -> bytes:
    """What stands for `tenant`: a file that gets lost tells nobody whose it was."""
    return hashlib.blake2b(tenant, digest_size=16, person=b"responses").digest()


def _rows(database: sqlite3.Connection, query: str, values: Any = ()) -> list[Any]:
    return database.execute(query, values).fetchall()


def _items(database: sqlite3.Connection, owner: bytes, id: str, *, is_output: int) -> list[Told]:
    query = (
        "SELECT body FROM items WHERE owner = ? AND response = ? AND is_output = ? ORDER BY place"
    )
    return [orjson.loads(body) for (body,) in _rows(database, query, (owner, id, is_output))]

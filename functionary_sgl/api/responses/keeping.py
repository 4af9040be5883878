"""Answers on their way into the store."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from functionary_sgl.api.responses.kept import kept
from functionary_sgl.api.responses.messages import Placed
from functionary_sgl.api.responses.store import ResponseStore

logger = logging.getLogger(__name__)


class Keeper:
    """Keeps the answer to a request of `tenant` with these items; None for `store`: nothing."""

    def __init__(self, store: ResponseStore | None, tenant: bytes, items: Sequence[Placed]) -> None:
        self._store = store
        self._tenant = tenant
        self._items = items if store is not None else ()
        self._given: list[dict[str, Any]] | None = None

    async def keep(self, response: dict[str, Any]) -> None:
        """Have `response` say whether it is kept: not where it is too large, or the disk is full.
        Whoever waits for an answer is to have it in any case."""
        if self._store is not None:
            response["store"] = await asyncio.to_thread(self._kept, self._store, response)

    def _kept(self, store: ResponseStore, response: dict[str, Any]) -> bool:
        try:
            if self._given is None:
                self._given = [kept(item) for item, _ in self._items]
            return store.keep(self._tenant, response, self._given)
        except Exception:
            logger.exception("a response could not be kept")
            return False

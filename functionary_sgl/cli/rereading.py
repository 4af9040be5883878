"""SIGHUP: the file of keys is read again."""

import asyncio
import signal
from typing import Any

from functionary_sgl.api.keys import Keyring
from functionary_sgl.cli import logs
from functionary_sgl.cli.keys import Source
from functionary_sgl.errors import UsageError


class Rereading:
    """Keeps `keyring` at what `source` says: it is read again on SIGHUP, if it has a file.

    What is wrong with it then is told, and the keys stay as they were. A server whose keys are in
    no file is ended by that signal, as by default.
    """

    def __init__(self, source: Source, keyring: Keyring) -> None:
        self.keyring = keyring
        self._source = source
        self._one_at_a_time = asyncio.Lock()
        self._running: set[asyncio.Task[None]] = set()
        self._missed = False
        if source.file is not None:
            signal.signal(signal.SIGHUP, self._note)

    def start(self) -> None:
        """Heed the signal; call it in the event loop. What came before is made up for."""
        if self._source.file is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._begin)
            if self._missed:
                self._begin()

    def _note(self, *signal_and_frame: Any) -> None:
        self._missed = True

    def _begin(self) -> None:
        task = asyncio.ensure_future(self._reread())
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _reread(self) -> None:
        async with self._one_at_a_time:
            try:
                keys = await asyncio.to_thread(self._source.read)
            except UsageError as error:
                told = f"the API keys stay as they were: {error}"
            else:
                self.keyring.replace(keys)
                told = f"{len(keys)} API keys, read again from {self._source.file}"
        logs.tell(told)

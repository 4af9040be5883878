"""LoRA adapters: models of their own names, which may come and go while turns run."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from functionary_sgl.engines.base import Engine
from functionary_sgl.errors import NotFound, RequestError, UsageError


class Adapter:
    """An adapter that the engine has, from `place`. `key` is what the engine calls it, and never
    another adapter, also where that has the same `name` later on."""

    def __init__(self, name: str, place: str, key: str) -> None:
        self.name = name
        self.place = place
        self.key = key
        self._turns = 0
        self._retired = False
        self._idle = asyncio.Event()

    @contextmanager
    def using(self) -> Iterator[None]:
        """While a turn of it runs. NotFound once it is retired."""
        if self._retired:
            raise unknown(self.name)
        self._turns += 1
        try:
            yield
        finally:
            self._turns -= 1
            if self._retired and not self._turns:
                self._idle.set()

    async def retire(self) -> None:
        """Let no more turns begin, and wait for those that run."""
        self._retired = True
        if self._turns:
            await self._idle.wait()


class Adapters(Mapping[str, Adapter]):
    """Those that requests may name, each by its name."""

    def __init__(
        self,
        started: Mapping[str, str] | None = None,
        names: Sequence[str] = (),
        directories: Sequence[str] | None = None,
    ) -> None:
        """`started`: those that the engine has started with, each with its place. `names`: the
        model's, which no adapter can have. `directories`: others are loaded from these only, and
        what is below them; None: from anywhere on this machine.

        Raises UsageError for a name of the model's.
        """
        for name in (started or {}).keys() & set(names):
            raise UsageError(f"an adapter cannot have the model's own name, {name}")
        self._names = frozenset(names)
        self._within = None if directories is None else [Path(d).resolve() for d in directories]
        # Another dictionary with each change: requests are read on other threads too.
        self._named = {name: Adapter(name, place, name) for name, place in (started or {}).items()}
        self._keys = set(self._named)
        self._loading = asyncio.Lock()

    def __getitem__(self, name: str) -> Adapter:
        return self._named[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._named)

    def __len__(self) -> int:
        return len(self._named)

    async def load(self, engine: Engine, name: str, place: str) -> None:
        """Have `engine` load the adapter in the directory `place`, and requests name it from now
        on. RequestError, and nothing is changed, where that cannot be."""
        async with self._loading:
            if name in self._names:
                raise RequestError(
                    f"'{name}' is the model's own name; give the adapter another.", "lora_name"
                )
            if name in self._named:
                raise RequestError(
                    f"The lora adapter '{name}' has already been loaded.", "lora_name"
                )
            directory = await asyncio.to_thread(self._directory, place)
            key = self._new_key(name)
            await engine.load_adapter(key, name, directory)
            self._named = {**self._named, name: Adapter(name, place, key)}

    async def unload(self, engine: Engine, name: str) -> None:
        """Have nobody find the adapter from now on, and `engine` let go of it when the last of its
        turns has ended. RequestError if there is none, EngineError if the engine fails to."""
        adapter = self._named.get(name)
        if adapter is None:
            raise RequestError(f"The lora adapter '{name}' cannot be found.", "lora_name")
        self._named = {known: a for known, a in self._named.items() if a is not adapter}
        await adapter.retire()
        await engine.unload_adapter(adapter.key, name)

    def _new_key(self, name: str) -> str:
        numbered = (f"{name} ({number})" for number in count(2))
        key = name
        while key in self._keys:
            key = next(numbered)
        self._keys.add(key)
        return key

    def _directory(self, place: str) -> Path:
        """`place` without links in it; RequestError if nothing is loaded from there."""
        try:
            directory = Path(place).resolve()
            is_there = directory.is_dir()
        except (OSError, ValueError, RuntimeError) as error:
            raise RequestError(f"'{place}' is no path: {error}.", "lora_path") from error
        within = self._within
        if within is not None and not any(directory.is_relative_to(known) for known in within):
            raise RequestError(
                f"'{place}' is in none of the directories that this server loads adapters from "
                "(its --lora-dirs).",
                "lora_path",
            )
        if not is_there:
            raise RequestError(
                f"There is no directory '{place}' on the server. While it runs, adapters come from "
                "its disk only; from the hub, --lora-modules fetches them when it starts.",
                "lora_path",
            )
        return directory


def unknown(name: str) -> NotFound:
    """There is no model of this name."""
    return NotFound(f"The model `{name}` does not exist.", code="model_not_found")

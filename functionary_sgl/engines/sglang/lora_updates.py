"""LoRA adapters that come and go while SGLang runs."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from functionary_sgl.engines.sglang import lora
from functionary_sgl.errors import EngineError, RequestError, UsageError

_READ_BYTES = 2**20


class LoRAUpdates:
    """Asks SGLang's `manager`, which started with `server_args`, for them."""

    def __init__(self, manager: Any, server_args: Any) -> None:
        self._manager = manager
        self._arguments = server_args

    async def load(self, key: str, name: str, directory: Path) -> None:
        """Load an adapter by the name of `key`. Raises RequestError for one that SGLang does not
        take, and where it takes none."""
        self._check_room()
        try:
            await asyncio.to_thread(lora.check, name, directory, self._arguments.model_path)
        except UsageError as error:
            raise RequestError(f"{str(error)[:1].upper()}{str(error)[1:]}.", "lora_path") from error
        await asyncio.to_thread(_read, directory)
        from sglang.srt.managers.io_struct import LoadLoRAAdapterReqInput

        asked = LoadLoRAAdapterReqInput(lora_name=key, lora_path=str(directory))
        if reason := await _failure(self._manager.load_lora_adapter(asked)):
            if key in self._manager.pending_lora_unloads:  # some of several ranks have it
                await self.unload(key, name)
            raise RequestError(f"The adapter {name} cannot be loaded: {reason}.", "lora_path")

    async def unload(self, key: str, name: str) -> None:
        """Raises EngineError if SGLang fails to."""
        from sglang.srt.managers.io_struct import UnloadLoRAAdapterReqInput

        asked = UnloadLoRAAdapterReqInput(lora_name=key)
        if reason := await _failure(self._manager.unload_lora_adapter(asked)):
            raise EngineError(
                f"The engine could not unload the adapter '{name}': {reason}. Nothing answers by "
                "this name any more; its memory is free when the server is started anew."
            )
        # SGLang would load it again for whoever names it.
        self._manager.lora_ref_cache.pop(key, None)

    def _check_room(self) -> None:
        """RequestError where SGLang takes no adapter, or would take away another for it."""
        if not self._manager.enable_lora:
            raise RequestError(
                "This server was started without adapters. Whoever runs it can start it with "
                "--enable-lora --max-lora-rank N --lora-target-modules q_proj ..., or with an "
                "adapter (--lora-modules NAME=PATH); then it can load others."
            )
        # SGLang refuses the one, and of the other's machines it hears the first only.
        for flag in ("dp_size", "nnodes"):
            if getattr(self._arguments, flag) > 1:
                raise RequestError(
                    f"With --{flag.replace('_', '-')}, adapters are loaded only when the server "
                    "starts (--lora-modules)."
                )
        most = self._arguments.max_loaded_loras
        if most is not None and self._manager.lora_registry.num_registered_loras >= most:
            raise RequestError(
                f"This server holds {most} adapters at most (--max-loaded-loras); unload one first."
            )


async def _failure(asked: Coroutine[Any, Any, Any]) -> str | None:
    """Why SGLang did not do what it was `asked`; None if it did."""
    result = await asked
    if result.success:
        return None
    return result.error_message.strip().removesuffix(".") or "SGLang does not say why"


def _read(directory: Path) -> None:
    """Have the files in memory: SGLang reads them in the process for which all turns wait."""
    for file in directory.glob("*.safetensors"):
        with file.open("rb") as opened:
            while opened.read(_READ_BYTES):
                pass

"""Batches are counted where the server sees it: it goes by that whether the engine hangs.

Imported inside SGLang's scheduler process, never by the rest of this package.
"""

from typing import Any

from sglang.srt.plugins.hook_registry import HookRegistry, HookType


def into(beats: Any) -> None:
    """Count each batch in `beats.value`, which other ranks may count in too: what matters is that
    it changes. Takes effect when SGLang loads its plugins."""

    def count(*_: Any) -> None:
        beats.value += 1

    HookRegistry.register(
        "sglang.srt.managers.scheduler.Scheduler.run_batch", count, HookType.BEFORE
    )

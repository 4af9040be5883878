"""Prompts in small steps while others wait for their next token.

A processor reads a prompt of thousands of tokens in seconds. SGLang reads it in chunks and can let
tokens be drawn in between (`--prefill-decode-interval`); here a chunk is small while somebody is
waiting, and large, which is quicker, while nobody is.

Imported inside SGLang's scheduler process, never by the rest of this package.
"""

import os
from typing import Any

from sglang.srt.plugins.hook_registry import HookRegistry, HookType

SMALL_CHUNK = 64
"""Tokens of a prompt: few enough that a laptop reads them in a tenth of a second."""

NICENESS = 5
"""Who computes takes the processor for seconds, who answers for a millisecond: that goes first."""


def on_processors() -> None:
    """Have this process go so, unless it was told not to read in chunks. Takes effect when SGLang
    loads its plugins."""
    os.nice(NICENESS)
    target = "sglang.srt.managers.scheduler.Scheduler.get_new_batch_prefill"
    HookRegistry.register(target, _choose_chunk, HookType.BEFORE)


def _choose_chunk(scheduler: Any, running_batch: Any) -> None:
    if scheduler.chunked_prefill_size is None:
        return
    if not hasattr(scheduler, "large_chunk"):
        scheduler.large_chunk = scheduler.chunked_prefill_size
    waiting = not running_batch.is_empty()
    size = min(SMALL_CHUNK, scheduler.large_chunk) if waiting else scheduler.large_chunk
    scheduler.chunked_prefill_size = size

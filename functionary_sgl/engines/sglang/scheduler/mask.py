"""Grammars' masks on a processor, without a compiler.

llguidance applies a mask by an operator that PyTorch compiles when it is first used. That takes
seconds, in which every client waits; and code that was compiled and kept where a processor has
other vector instructions was seen to mask wrongly, in silence. These few steps are as quick here.

Imported inside SGLang's scheduler process, never by the rest of this package.
"""

from collections.abc import Callable

import numpy as np
import torch
from sglang.srt.plugins.hook_registry import HookRegistry, HookType

# What is added to the logits of eight ids whose bits these are.
_OF_AN_OCTET = np.where(
    np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little"), 0.0, -np.inf
).astype(np.float32)


def on_processors() -> None:
    """Apply masks so in this process where logits are on a processor. Takes effect when SGLang
    loads its plugins."""
    target = "sglang.srt.constrained.llguidance_backend.apply_token_bitmask_inplace"
    HookRegistry.register(target, _apply, HookType.AROUND)


def _apply(
    original: Callable[[torch.Tensor, torch.Tensor], None], logits: torch.Tensor, mask: torch.Tensor
) -> None:
    """Set each of `logits` (rows, ids) to minus infinity whose bit in `mask` (rows, words of 32
    bits) is not set, or that has none."""
    if logits.is_cpu:
        apply(logits, mask)
    else:
        original(logits, mask)


def apply(logits: torch.Tensor, mask: torch.Tensor) -> None:
    """As `_apply`, on a processor."""
    known = min(logits.shape[1], 32 * mask.shape[1])
    octets = mask.numpy().astype("<i4", copy=False).view(np.uint8)
    # Row by row, in the same place: that of all rows would have to come from the memory.
    barred = np.empty((octets.shape[1], 8), np.float32)
    told = torch.from_numpy(barred.reshape(-1)[:known])
    for row, bits in zip(logits, octets, strict=True):
        np.take(_OF_AN_OCTET, bits, axis=0, out=barred, mode="clip")
        row[:known].add_(told)
    logits[:, known:] = -torch.inf

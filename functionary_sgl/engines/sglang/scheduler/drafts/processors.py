"""What SGLang 0.5.23 runs as Triton kernels wherever an algorithm is set, for processors."""

from typing import Any

import torch
from sglang.srt.mem_cache import allocation
from sglang.srt.mem_cache.memory_pool import MHATokenToKVPool


def without_triton() -> None:
    """Replace it in this process."""
    MHATokenToKVPool._init_kv_copy_and_warmup = _nothing_to_move
    allocation.assign_req_to_token_pool_func = _assign


def _nothing_to_move(pool: Any) -> None:
    """Accepted branches of a tree are moved in the KV cache; a chain lies where it belongs."""
    pool._kv_copy_config = None


def _assign(
    rows: torch.Tensor,
    table: torch.Tensor,
    starts: torch.Tensor,
    ends: torch.Tensor,
    slots: torch.Tensor,
    batch_size: int,
) -> None:
    """Write `slots`, those of all requests one after the other, into their `rows` of `table`."""
    begun = 0
    for row, start, end in zip(rows.tolist(), starts.tolist(), ends.tolist(), strict=True):
        table[row, start:end] = slots[begun : begun + end - start].to(table.dtype)
        begun += end - start

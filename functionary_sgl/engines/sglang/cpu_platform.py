"""The SGLang platform for machines without an accelerator (`platform.py` chooses it).

Imported by SGLang inside each of its processes, never by the rest of this package.
"""

from collections.abc import Callable
from typing import Any

import torch
from sglang.srt.platforms.cpu import CpuDeviceMixin
from sglang.srt.platforms.interface import PlatformEnum, SRTPlatform

# 4 GB for a model of 8 billion weights with grouped attention (Llama 3: 128 kB per token).
MOST_CACHED_TOKENS = 32_768


class CpuPlatform(CpuDeviceMixin, SRTPlatform):  # type: ignore[misc]
    """Plain PyTorch operators, no Triton, no kernels of SGLang's own."""

    _enum = PlatformEnum.OOT

    def get_default_attention_backend(self) -> str:
        return "torch_native"

    def apply_server_args_defaults(self, server_args: Any) -> None:
        """What a laptop bears: SGLang would reserve most of the memory for the KV cache."""
        if server_args.max_total_tokens is None:
            server_args.max_total_tokens = MOST_CACHED_TOKENS
        # A prompt is read in chunks (`scheduler/pace.py`), with a token for all others in between.
        if server_args.prefill_decode_interval is None:
            server_args.prefill_decode_interval = 1
        # The scheduler would take most of a core also when there is nothing to do.
        server_args.sleep_on_idle = True
        if server_args.lora_backend == "csgmv":  # SGLang's default, which is a Triton kernel
            server_args.lora_backend = "torch_native"

    def get_dispatch_key_name(self) -> str:
        return "native"

    def is_pin_memory_available(self, device: Any = None) -> bool:
        return False

    def init_backend(self) -> None:
        ignore_pinned_memory()


def ignore_pinned_memory() -> None:
    """Make requests for pinned memory do nothing in this process.

    Pinning exists for transfers to an accelerator and raises without one; SGLang's LoRA code
    asks for it all the same.
    """
    # With the first use of a device context torch notes which functions make tensors; these have
    # to be its own, or contexts will not reach them (transformers builds models in such).
    with torch.device("meta"):
        torch.empty(0)
    torch.Tensor.pin_memory = lambda self, device=None: self
    for name in ("tensor", "empty", "zeros", "arange"):
        setattr(torch, name, _without_pinning(getattr(torch, name)))


def _without_pinning(create: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    def unpinned(*args: Any, pin_memory: bool = False, **kwargs: Any) -> torch.Tensor:
        return create(*args, **kwargs)

    return unpinned

"""The number format that training computes in."""

import torch

from functionary_sgl.engines.sglang.platform import multiplies_bfloat16


def compute_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 on accelerators and on processors that have instructions for it, else float32."""
    if device.type == "cpu" and not multiplies_bfloat16():
        return torch.float32
    return torch.bfloat16

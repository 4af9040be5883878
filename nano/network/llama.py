"""transformers' Llama, which takes seconds to import: not before there is a model to make."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

__all__ = ["Llama", "load", "new"]

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM as Llama
else:
    Llama = torch.nn.Module  # what it is to those who only name it


def new(**config: Any) -> Llama:
    """A model of this configuration (LlamaConfig), its weights drawn from torch's generator."""
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(LlamaConfig(**config))


def load(directory: Path, dtype: torch.dtype | None = torch.float32) -> Llama:
    """The model of a checkpoint, its weights in `dtype`; None: as they were saved."""
    from transformers import LlamaForCausalLM

    return LlamaForCausalLM.from_pretrained(directory, **({"dtype": dtype} if dtype else {}))

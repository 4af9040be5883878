"""Adapters that do not fit the model are refused when they are loaded.

SGLang lays an adapter's weights beside the model's with the first batch that needs it, and ends
the scheduler, and with it every client's turn, where they are of another shape. Here that is tried
at once, without memory. It also leaves weights where they are, in the file, which somebody may
write anew; here they are copied.

Imported inside SGLang's scheduler process, never by the rest of this package.
"""

import copy
from collections.abc import Callable
from typing import Any

import torch
from sglang.srt.plugins.hook_registry import HookRegistry, HookType

_LAYERS = ("A_buffer", "B_buffer")
_EMBEDDINGS = (
    *("embedding_A_buffer", "embedding_B_buffer"),
    *("lm_head_A_buffer", "lm_head_B_buffer", "new_embeddings_buffer"),
)


def fit() -> None:
    """Set it up in this process. Takes effect when SGLang loads its plugins."""
    manager = "sglang.srt.lora.lora_manager.LoRAManager"
    HookRegistry.register(f"{manager}._load_lora_adapter", _load, HookType.AROUND)
    HookRegistry.register(f"{manager}.init_memory_pool", _check_all, HookType.AFTER)


def _load(original: Callable[..., Any], manager: Any, ref: Any) -> Any:
    """`original`, which fails and leaves nothing behind where the adapter does not fit."""
    result = original(manager, ref)
    try:
        if result.success:
            _own(manager.loras[ref.lora_id])
            # Those of the start are loaded before there is memory for them.
            if hasattr(manager, "memory_pool"):
                check(manager, ref.lora_id)
            return result
        reason = result.error_message
    except Exception as error:  # whatever SGLang's code says to weights that it does not expect
        reason = f"its weights do not fit the model: {error}"
    for kept in (manager.configs, manager.loras, manager.lora_refs):
        kept.pop(ref.lora_id, None)
    if result.success:
        manager.num_pinned_loras -= int(ref.pinned)
    return manager.create_lora_update_result(success=False, error_message=reason)


def _check_all(_: Any, manager: Any) -> None:
    for lora_id, ref in manager.lora_refs.items():
        try:
            check(manager, lora_id)
        except Exception as error:
            raise RuntimeError(
                f"the weights of the adapter {ref.lora_name} do not fit the model: {error}"
            ) from error


def _own(adapter: Any) -> None:
    """Copy what is the mapped file."""
    for weights in (*(layer.weights for layer in adapter.layers), adapter.embedding_layers):
        for name, weight in weights.items():
            weights[name] = weight.clone()


def check(manager: Any, lora_id: str) -> None:
    """Raises what SGLang would raise when it lays the adapter beside the model, and ValueError for
    one of which nothing would be laid anywhere, or not all."""
    adapter = manager.loras[lora_id]
    if not (any(layer.weights for layer in adapter.layers) or adapter.embedding_layers):
        raise ValueError("none of them is of a layer that the model has")
    pool = copy.copy(manager.memory_pool)
    pool.strict_loading = True
    pool.pin_memory_available = False
    for name in _LAYERS:
        buffers = getattr(pool, name)
        setattr(pool, name, {key: list(map(_shape, tensors)) for key, tensors in buffers.items()})
    for name in _EMBEDDINGS:
        buffers = getattr(pool, name)
        setattr(pool, name, {key: _shape(tensor) for key, tensor in buffers.items()})
    pool.load_lora_weight_to_buffer(
        lora_id,
        0,
        adapter,
        manager.lora_modules,
        manager.embed_tokens_module,
        manager.lm_head_module,
    )


def _shape(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor like it, without memory."""
    return torch.empty_like(tensor, device="meta")

"""Seeds of single requests in SGLang, which draws by them only in its deterministic mode.

That mode is for the whole server, changes kernels and needs ones that CPUs do not have. Here a
batch knows the seeds of its requests (`batch.py`), and after SGLang has drawn for all of them,
those that have one get a token drawn by it. Batches without a seed are none the slower.

Imported inside SGLang's scheduler process, never by the rest of this package.
"""

from collections.abc import Callable
from typing import Any

import torch
from sglang.srt.plugins.hook_registry import HookRegistry, HookType

from functionary_sgl.engines.sglang.scheduler import nucleus
from functionary_sgl.engines.sglang.scheduler.batch import BatchInfo
from functionary_sgl.engines.sglang.scheduler.draw import draw, kept


def obey() -> None:
    """Let this process draw by requests' seeds. Takes effect when SGLang loads its plugins."""
    sampler = "sglang.srt.layers.sampler.Sampler._sample_from_probs"
    HookRegistry.register(sampler, _sample_from_probs, HookType.AROUND)


def _sample_from_probs(
    original: Callable[..., tuple[torch.Tensor, Any]],
    sampler: Any,
    probs: torch.Tensor,
    info: BatchInfo,
    positions: torch.Tensor,
    simple: bool,
) -> tuple[torch.Tensor, Any]:
    """`original`, with the tokens of requests that have a seed drawn by it. `simple`: no request
    of the batch has a top_k, top_p or min_p."""
    tokens, mask = original(sampler, probs, info, positions, simple)
    rows = [row for row, seed in enumerate(info.seeds) if seed is not None]
    if rows:
        seeds = [seed for seed in info.seeds if seed is not None]
        probs, places = probs[rows], positions[rows]
        bounds = info.top_ks[rows], info.top_ps[rows], info.min_ps[rows]
        if probs.is_cpu:
            ids = nucleus.drawn_by_seed(probs, seeds, places, *bounds)
        else:
            ids = draw(probs if simple else kept(probs, *bounds), seeds, places)
        tokens[rows] = ids.to(tokens.dtype)
    return tokens, mask

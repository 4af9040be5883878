"""Batches of SGLang's as its scheduler has them, made without one; the fixture `hooks` first."""

from typing import Any

IDS = 1_000


def batch_info(count: int, **fields: Any) -> Any:
    """What SGLang knows of how `count` requests draw from `IDS` ids; `fields` besides the plain."""
    import torch
    from sglang.srt.sampling.penaltylib import BatchedPenalizerOrchestrator
    from sglang.srt.sampling.sampling_batch_info import SamplingBatchInfo

    class Batch:
        reqs: tuple[()] = ()
        device = "cpu"

    plain: dict[str, Any] = {"seeds": [None] * count, "asked": [None] * count}
    return SamplingBatchInfo(
        temperatures=torch.ones(count, 1),
        top_ps=torch.ones(count),
        min_ps=torch.zeros(count),
        top_ks=torch.full((count,), 2**30),
        is_all_greedy=False,
        is_any_greedy=False,
        need_top_p_sampling=False,
        need_top_k_sampling=False,
        need_min_p_sampling=False,
        vocab_size=IDS,
        device="cpu",
        penalizer_orchestrator=BatchedPenalizerOrchestrator(IDS, Batch(), set()),
        **plain | fields,
    )

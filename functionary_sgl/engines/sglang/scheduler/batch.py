"""What a batch of SGLang knows of our requests beyond what SGLang tells it.

Their seeds, and which control tokens may be drawn for each. A control token is an id that only a
template or a program may write; a model may draw one only where its program asks for it. The same
holds for ids that the model has and the tokenizer does not: nobody could say what they mean.

Imported inside SGLang's scheduler process, never by the rest of this package.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from sglang.srt.plugins.hook_registry import HookRegistry, HookType
from sglang.srt.sampling.sampling_batch_info import SamplingBatchInfo

from functionary_sgl.engines.generate.sampling import ASKED_IDS


@dataclass
class BatchInfo(SamplingBatchInfo):  # type: ignore[misc]
    """With the `seeds` of the requests in their order, None where one has none; and with the ids
    `asked` for by each, None where it may draw any: a request that did not come from us."""

    control_ids: ClassVar[tuple[int, ...]] = ()
    most_id: ClassVar[int | None] = None

    # Replaced by new ones, never changed: SGLang's copies of a batch share them.
    seeds: list[int | None] = field(default_factory=list)
    asked: list[frozenset[int] | None] = field(default_factory=list)
    barred: tuple[torch.Tensor, torch.Tensor] | None = None

    def adjusted_from_schedule_batch(self, batch: Any, vocab_size: int) -> None:
        self.seeds = [request.sampling_params.sampling_seed for request in batch.reqs]
        self.asked = [_asked(request) for request in batch.reqs]

    def adjusted_merge_batch(self, other: Any) -> None:
        self.seeds = self.seeds + other.seeds
        self.asked = self.asked + other.asked
        self.barred = None

    def adjusted_filter_batch(self, keep_indices: list[int], keep_indices_device: Any) -> None:
        self.seeds = [self.seeds[index] for index in keep_indices]
        self.asked = [self.asked[index] for index in keep_indices]
        self.barred = None

    def copy_for_forward(self) -> Any:
        if self.barred is None:
            self.barred = self._bars()
        return super().copy_for_forward()

    def _apply_post_grammar_logits_transforms(self, logits: torch.Tensor) -> None:
        # Last of all, so that no bias of a client outweighs it.
        super()._apply_post_grammar_logits_transforms(logits)
        ids, rows = self.barred or self._bars()
        if len(ids):
            logits[:, ids] = logits[:, ids].masked_fill(rows, -torch.inf)

    def _bars(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Ids that may be barred, and for each row (rows, ids) whether they are."""
        first = self.vocab_size if self.most_id is None else self.most_id + 1
        ids = [*self.control_ids, *range(first, self.vocab_size)]
        places = {token_id: place for place, token_id in enumerate(ids)}
        bars = torch.ones(len(self.asked), len(ids), dtype=torch.bool)
        for row, asked in enumerate(self.asked):
            if asked is None:
                bars[row] = False
            else:
                bars[row, [places[token_id] for token_id in asked if token_id in places]] = False
        return torch.tensor(ids, dtype=torch.long, device=self.device), bars.to(self.device)


def _asked(request: Any) -> frozenset[int] | None:
    told = (request.sampling_params.custom_params or {}).get(ASKED_IDS)
    return None if told is None else frozenset(told) | frozenset(request.eos_token_ids or ())


def know(control_ids: tuple[int, ...], most_id: int) -> None:
    """Let batches of this process know our requests. `control_ids` are the tokenizer's, none
    of whose ids is above `most_id`. Takes effect when SGLang loads its plugins."""
    BatchInfo.control_ids = control_ids
    BatchInfo.most_id = most_id
    target = "sglang.srt.sampling.sampling_batch_info.SamplingBatchInfo"
    HookRegistry.register(target, BatchInfo, HookType.REPLACE)

"""A batch whose requests have several rows each: a pass verifies a chain of ids of each request."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from llguidance.torch import fill_next_token_bitmask
from sglang.srt.constrained.base_grammar_backend import GrammarMask
from sglang.srt.model_executor.forward_batch_info import CaptureHiddenMode
from sglang.srt.speculative.spec_info import SpecInput, SpecInputType

from functionary_sgl.engines.sglang.scheduler.batch import BatchInfo
from functionary_sgl.engines.sglang.scheduler.drafts.proposals import Draft

_PER_ROW = (
    *("temperatures", "top_ps", "top_ks", "min_ps", "logit_bias", "sampling_seed"),
    *("acc_additive_penalties", "acc_scaling_penalties"),
)


class Chains(SpecInput):  # type: ignore[misc]
    """What SGLang's model runner is told of a pass over chains of `width` ids each at `positions`.
    Between passes it says nothing: what is proposed depends on the requests alone."""

    def __init__(self, positions: torch.Tensor | None = None, width: int = 1) -> None:
        super().__init__(SpecInputType.NGRAM_VERIFY)
        self.positions = positions
        self.draft_token_num = width
        self.num_tokens_per_req = self.num_tokens_for_logprob_per_req = width
        self.capture_hidden_mode = CaptureHiddenMode.NULL
        self.future_indices = None

    def filter_batch(self, new_indices: Any, new_indices_cpu: Any = None) -> None: ...

    def merge_batch(self, other: Any) -> None: ...


def widened(info: BatchInfo, width: int) -> BatchInfo:
    """`info` for `width` rows of each request, one after the other."""
    rows = {name: getattr(info, name) for name in _PER_ROW}
    wide: dict[str, Any] = {
        name: values.repeat_interleave(width, 0)
        for name, values in rows.items()
        if values is not None
    }
    wide["barred"] = info.barred and (info.barred[0], info.barred[1].repeat_interleave(width, 0))
    wide |= {name: repeated(getattr(info, name), width) for name in ("seeds", "asked")}
    return replace(info, **wide | {"grammars": None})


def repeated(values: Any, width: int) -> Any:
    """Each of `values`, `width` times; None if there are none."""
    return values and [value for value in values for _ in range(width)]


def mask(requests: Sequence[Any], drafts: Sequence[Draft], width: int, size: int) -> Any:
    """What the requests' grammars allow in each row of a vocabulary of `size`; None without any.

    A copy of the matcher goes ahead: llguidance 1.9.1 rolls ids back wrongly where a grammar names
    them. Of what is forced the mask is known.
    """
    grammars = [request.grammar for request in requests]
    found = [grammar for grammar in grammars if grammar is not None and not grammar.finished]
    if not found:
        return None
    rows = found[0].allocate_vocab_mask(size, len(requests) * width, "cpu")
    for index, (grammar, (ids, forced)) in enumerate(zip(grammars, drafts, strict=True)):
        if grammar is None or grammar.finished or grammar.is_terminated():
            continue
        matcher = grammar.ll_matcher.deep_copy() if ids else grammar.ll_matcher
        for place, token_id in enumerate(ids):
            if place < forced:
                _allow_only(rows[index * width + place], token_id)
            else:
                fill_next_token_bitmask(matcher, rows, index * width + place)
            matcher.consume_token(token_id)
        fill_next_token_bitmask(matcher, rows, index * width + len(ids))
    return GrammarMask(found[0], rows)


def _allow_only(row: torch.Tensor, token_id: int) -> None:
    row.zero_()
    bit = 1 << token_id % 32
    row[token_id // 32] = bit - (1 << 32) * (bit >> 31)

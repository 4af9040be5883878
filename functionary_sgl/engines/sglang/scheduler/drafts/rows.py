"""A batch whose requests have several rows each: a pass verifies a chain of ids of each request.

`widths` are the rows of each request, one after the other.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
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
    """What SGLang's model runner is told of a pass over chains of ids at `positions`. Between
    passes it says nothing: what is proposed depends on the requests alone."""

    def __init__(
        self, positions: torch.Tensor | None = None, widths: torch.Tensor | None = None
    ) -> None:
        super().__init__(SpecInputType.NGRAM_VERIFY)
        self.positions = positions
        self.widths = widths
        # Where SGLang looks at these, with adapters and for log-probabilities, all are as wide.
        width = 1 if widths is None else int(widths.max())
        self.draft_token_num = width
        self.num_tokens_per_req = self.num_tokens_for_logprob_per_req = width
        self.capture_hidden_mode = CaptureHiddenMode.NULL
        self.future_indices = None

    def filter_batch(self, new_indices: Any, new_indices_cpu: Any = None) -> None: ...

    def merge_batch(self, other: Any) -> None: ...


def widened(info: BatchInfo, widths: Sequence[int]) -> BatchInfo:
    """`info` for all rows."""
    times = torch.tensor(widths)
    values = {name: getattr(info, name) for name in _PER_ROW}
    wide: dict[str, Any] = {
        name: value.repeat_interleave(times, 0)
        for name, value in values.items()
        if value is not None
    }
    wide["barred"] = info.barred and (info.barred[0], info.barred[1].repeat_interleave(times, 0))
    wide |= {name: repeated(getattr(info, name), widths) for name in ("seeds", "asked")}
    return replace(info, **wide | {"grammars": None})


def repeated(values: Any, widths: Sequence[int]) -> Any:
    """Each of `values` for all of its rows; None if there are none."""
    if not values:
        return None
    return [value for value, width in zip(values, widths, strict=True) for _ in range(width)]


def mask(requests: Sequence[Any], drafts: Sequence[Draft], widths: Sequence[int], size: int) -> Any:
    """What the requests' grammars allow in each row of a vocabulary of `size`; None without any.

    A copy of the matcher goes ahead: llguidance 1.9.1 rolls ids back wrongly where a grammar names
    them. Of what is forced the mask is known.
    """
    grammars = [request.grammar for request in requests]
    found = [grammar for grammar in grammars if grammar is not None and not grammar.finished]
    if not found:
        return None
    rows = found[0].allocate_vocab_mask(size, sum(widths), "cpu")
    starts = accumulate(widths, initial=0)
    for start, grammar, draft in zip(starts, grammars, drafts, strict=False):
        if not (grammar is None or grammar.finished or grammar.is_terminated()):
            _fill(rows, start, grammar.ll_matcher, draft)
    return GrammarMask(found[0], rows)


def _fill(rows: torch.Tensor, start: int, matcher: Any, draft: Draft) -> None:
    ahead = matcher.deep_copy() if draft.ids else matcher
    for place, token_id in enumerate(draft.ids):
        if place < draft.forced:
            _allow_only(rows[start + place], token_id)
        else:
            fill_next_token_bitmask(ahead, rows, start + place)
        ahead.consume_token(token_id)
    fill_next_token_bitmask(ahead, rows, start + len(draft.ids))


def _allow_only(row: torch.Tensor, token_id: int) -> None:
    row.zero_()
    bit = 1 << token_id % 32
    row[token_id // 32] = bit - (1 << 32) * (bit >> 31)

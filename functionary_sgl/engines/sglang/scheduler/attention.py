"""Attention on a processor that computes what is asked for, and no more.

SGLang's own for processors (`torch_native`) pads the queries of a prompt to all of its tokens, the
cached ones included: one new token behind 4,000 takes a second, in which nobody else gets a token.

Imported inside SGLang's scheduler process, never by the rest of this package.
"""

from typing import Any, NamedTuple

import torch
from sglang.srt.layers.attention.attention_registry import ATTENTION_BACKENDS
from sglang.srt.layers.attention.torch_native_backend import TorchNativeAttnBackend
from torch.nn.functional import scaled_dot_product_attention

_BLOCK = 512
"""Queries at a time. What a mask hides is computed all the same, so it must not hide much."""

_MOST_PADDING = 2
"""How much larger a batch may get that is computed at once, each request as long as the longest."""

_MOST_SEEN = 32_768
"""Tokens that it sees, whose keys and values are copied for that."""


class _Batch(NamedTuple):
    """Requests that are computed at once, up to `width` tokens of each: the slots of all that they
    see (requests, tokens), and which of them each new token sees (requests, 1, width, tokens).
    `places`: where among requests times `width` each new token is, unless that is where it is."""

    width: int
    slots: torch.Tensor
    mask: torch.Tensor
    places: torch.Tensor | None


class Attention(TorchNativeAttnBackend):  # type: ignore[misc]
    """SGLang's, but for prompts, drafts, and several requests at once."""

    _batch: _Batch | None = None

    def init_forward_metadata(self, forward_batch: Any) -> None:
        """Told of a pass that verifies chains of ids, take it for the reading of as many."""
        super().init_forward_metadata(forward_batch)
        self._batch = None
        mode, lengths = forward_batch.forward_mode, forward_batch.seq_lens
        if mode.is_target_verify():
            widths = forward_batch.spec_info.widths
            forward_batch.extend_prefix_lens, forward_batch.extend_seq_lens = lengths, widths
            self._batch = self._at_once(forward_batch.req_pool_indices, lengths, widths)
        elif mode.is_decode():
            ones = torch.ones_like(lengths)
            self._batch = self._at_once(forward_batch.req_pool_indices, lengths - 1, ones)

    def _at_once(
        self, rows: torch.Tensor, before: torch.Tensor, widths: torch.Tensor
    ) -> _Batch | None:
        """The requests in these `rows` of SGLang's table, each with so many new tokens after those
        `before`; None where they had better be computed one after the other."""
        lengths, width = before + widths, int(widths.max())
        longest = int(lengths.max())
        seen = longest * len(rows)
        if len(rows) < 2 or seen > min(_MOST_SEEN, _MOST_PADDING * int(lengths.sum())):
            return None
        places = torch.arange(longest)
        slots = self.req_to_token_pool.req_to_token[rows, :longest].long()
        # What is behind its end was another's. If that overflowed, a mask would not keep it away:
        # nothing times what is no number is no number.
        slots = slots.where(places < lengths.view(-1, 1), slots[:, :1])
        ends = before.view(-1, 1) + torch.arange(width)
        mask = places <= ends.unsqueeze(-1)
        is_there = torch.arange(width) < widths.view(-1, 1)
        new = None if bool(is_there.all()) else is_there.flatten().nonzero().flatten()
        return _Batch(width, slots, mask.unsqueeze(1), new)

    def _run_sdpa_forward_decode(
        self,
        query: torch.Tensor,
        output: torch.Tensor,
        k_cache: torch.Tensor,
        v_cache: torch.Tensor,
        *rest: Any,
        scaling: float | None = None,
        enable_gqa: bool = False,
        is_cross_attn: bool = False,
        sliding_window_size: int | None = None,
        **others: Any,
    ) -> torch.Tensor:
        """As SGLang has it; shapes as below."""
        caches = k_cache, v_cache
        if self._batch is None or is_cross_attn or sliding_window_size is not None:
            others |= {"scaling": scaling, "enable_gqa": enable_gqa}
            others |= {"is_cross_attn": is_cross_attn, "sliding_window_size": sliding_window_size}
            told: torch.Tensor = super()._run_sdpa_forward_decode(
                query, output, *caches, *rest, **others
            )
            return told
        return _attend(self._batch, query, output, *caches, scaling, enable_gqa)

    def _run_sdpa_forward_extend(
        self,
        query: torch.Tensor,
        output: torch.Tensor,
        k_cache: torch.Tensor,
        v_cache: torch.Tensor,
        req_to_token: torch.Tensor,
        req_pool_indices: torch.Tensor,
        seq_lens: torch.Tensor,
        extend_prefix_lens: torch.Tensor,
        extend_seq_lens: torch.Tensor,
        encoder_lens: torch.Tensor | None = None,
        scaling: float | None = None,
        enable_gqa: bool = False,
        causal: bool = False,
        is_cross_attn: bool = False,
        sliding_window_size: int | None = None,
    ) -> torch.Tensor:
        """As SGLang has it. `query` and `output`: (tokens, heads, size of a head), the new tokens
        of all requests one after the other; the caches: (slots, heads, size of a head)."""
        window = sliding_window_size is not None and sliding_window_size > -1
        if encoder_lens is not None or is_cross_attn or window or not causal:
            every = (query, output, k_cache, v_cache, req_to_token, req_pool_indices, seq_lens)
            rest = (extend_prefix_lens, extend_seq_lens, encoder_lens, scaling, enable_gqa, causal)
            told: torch.Tensor = super()._run_sdpa_forward_extend(
                *every, *rest, is_cross_attn, sliding_window_size
            )
            return told
        if self._batch is not None:
            caches = k_cache, v_cache
            return _attend(self._batch, query, output, *caches, scaling, enable_gqa)
        start = 0
        lengths = zip(extend_prefix_lens.tolist(), extend_seq_lens.tolist(), strict=True)
        for index, (before, new) in enumerate(lengths):
            slots = req_to_token[req_pool_indices[index], : before + new]
            keys = k_cache[slots].transpose(0, 1)[None].to(query.dtype)
            values = v_cache[slots].transpose(0, 1)[None].to(query.dtype)
            for first in range(0, new, _BLOCK):
                block = slice(start + first, start + min(first + _BLOCK, new))
                seen = before + block.stop - start
                made = scaled_dot_product_attention(
                    query[block].transpose(0, 1)[None],
                    keys[:, :, :seen],
                    values[:, :, :seen],
                    attn_mask=_causal(before + first, seen),
                    scale=scaling,
                    enable_gqa=enable_gqa,
                )
                output[block] = made[0].transpose(0, 1)
            start += new
        return output


def _attend(
    batch: _Batch,
    query: torch.Tensor,
    output: torch.Tensor,
    k_cache: torch.Tensor,
    v_cache: torch.Tensor,
    scaling: float | None,
    enable_gqa: bool,
) -> torch.Tensor:
    """All of `batch` at once; the other shapes as above."""
    requests, width, places = len(batch.slots), batch.width, batch.places
    asked = query
    if places is not None:
        asked = query.new_zeros(requests * width, *query.shape[1:])
        asked[places] = query
    made = scaled_dot_product_attention(
        asked.view(requests, width, *query.shape[1:]).transpose(1, 2),
        k_cache[batch.slots].transpose(1, 2).to(query.dtype),
        v_cache[batch.slots].transpose(1, 2).to(query.dtype),
        attn_mask=batch.mask,
        scale=scaling,
        enable_gqa=enable_gqa,
    )
    told = made.transpose(1, 2).reshape(requests * width, *output.shape[1:])
    output.copy_(told if places is None else told[places])
    return output


def _causal(first: int, end: int) -> torch.Tensor | None:
    """Which of `end` tokens each may see of those from `first` on; None: all."""
    if end - first == 1:
        return None
    return torch.arange(end) <= torch.arange(first, end).view(-1, 1)


def on_processors() -> None:
    """Have this process use it where it would use SGLang's."""
    ATTENTION_BACKENDS["torch_native"] = Attention

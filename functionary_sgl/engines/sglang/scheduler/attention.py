"""Attention on a processor that computes what is asked for, and no more.

SGLang's own for processors (`torch_native`) pads the queries of a prompt to all of its tokens, the
cached ones included: one new token behind 4,000 takes a second, in which nobody else gets a token.

Imported inside SGLang's scheduler process, never by the rest of this package.
"""

import torch
from sglang.srt.layers.attention.attention_registry import ATTENTION_BACKENDS
from sglang.srt.layers.attention.torch_native_backend import TorchNativeAttnBackend
from torch.nn.functional import scaled_dot_product_attention

_BLOCK = 512
"""Queries at a time. What a mask hides is computed all the same, so it must not hide much."""


class Attention(TorchNativeAttnBackend):  # type: ignore[misc]
    """SGLang's, but for prompts."""

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


def _causal(first: int, end: int) -> torch.Tensor | None:
    """Which of `end` tokens each may see of those from `first` on; None: all."""
    if end - first == 1:
        return None
    return torch.arange(end) <= torch.arange(first, end).view(-1, 1)


def on_processors() -> None:
    """Have this process use it where it would use SGLang's."""
    ATTENTION_BACKENDS["torch_native"] = Attention

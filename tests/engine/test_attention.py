"""Attention on processors gives what SGLang's own gives, without its padding."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

LENGTHS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 40)), min_size=1, max_size=3)


@pytest.mark.filterwarnings("ignore")
@given(LENGTHS, st.sampled_from([(4, 4), (4, 2)]), st.booleans(), st.integers(0, 2**32 - 1))
def test_prompts_are_read_as_sglang_reads_them(
    lengths: list[tuple[int, int]], heads: tuple[int, int], small: bool, seed: int
) -> None:
    """Requests of tokens that are cached and new ones; in blocks of queries, and in one."""
    import torch
    from sglang.srt.layers.attention.torch_native_backend import TorchNativeAttnBackend

    from functionary_sgl.engines.sglang.scheduler import attention

    dice = torch.Generator().manual_seed(seed)
    many, few = heads
    before = torch.tensor([length for length, _ in lengths])
    new = torch.tensor([length for _, length in lengths])
    slots = torch.randperm(100 * len(lengths), generator=dice).view(len(lengths), 100)
    caches = [torch.randn(100 * len(lengths), few, 16, generator=dice) for _ in range(2)]
    query = torch.randn(int(new.sum()), many, 16, generator=dice)

    def read(backend: Any) -> torch.Tensor:
        output = torch.empty_like(query)
        rows = torch.arange(len(lengths))
        backend._run_sdpa_forward_extend(
            query, output, *caches, slots, rows, before + new, before, new,
            scaling=0.25, enable_gqa=many != few, causal=True,
        )  # fmt: skip
        return output

    ours, theirs = (cls.__new__(cls) for cls in (attention.Attention, TorchNativeAttnBackend))
    expected = read(theirs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attention, "_BLOCK", 7 if small else 512)
        assert torch.allclose(read(ours), expected, atol=1e-5)


SEEN = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 5)), min_size=2, max_size=4)


@pytest.mark.filterwarnings("ignore")
@given(SEEN, st.sampled_from([(4, 4), (4, 2)]), st.booleans(), st.integers(0, 2**32 - 1))
def test_several_requests_are_computed_at_once(
    seen: list[tuple[int, int]], heads: tuple[int, int], alone: bool, seed: int
) -> None:
    """One new token of each, as SGLang computes them; or one to several, as if they were read."""
    import torch
    from sglang.srt.layers.attention.torch_native_backend import TorchNativeAttnBackend

    from functionary_sgl.engines.sglang.scheduler import attention

    dice = torch.Generator().manual_seed(seed)
    many, few = heads
    rows, count = torch.arange(len(seen)), len(seen)
    before = torch.tensor([length for length, _ in seen])
    new = torch.tensor([1 if alone else width for _, width in seen])
    slots = torch.randperm(50 * count, generator=dice).view(count, 50)
    caches = [torch.randn(50 * count, few, 16, generator=dice) for _ in range(2)]
    # Behind its end a row of the table has what was another request's, whatever that computed.
    left = torch.cat([row[end:] for row, end in zip(slots, before + new, strict=True)])
    for cache in caches:
        cache[left] = torch.nan
    query = torch.randn(int(new.sum()), many, 16, generator=dice)
    how = {"scaling": 0.25, "enable_gqa": many != few}

    def computed(backend: Any) -> torch.Tensor:
        output = torch.empty_like(query)
        given = (query, output, *caches, slots, rows, before + new)
        if alone:
            backend._run_sdpa_forward_decode(*given, **how, causal=False)
        else:
            backend._run_sdpa_forward_extend(*given, before, new, **how, causal=True)
        return output

    ours, theirs = (cls.__new__(cls) for cls in (attention.Attention, TorchNativeAttnBackend))
    ours.req_to_token_pool = SimpleNamespace(req_to_token=slots)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attention, "_MOST_PADDING", 40)
        ours._batch = ours._at_once(rows, before, new)
    assert ours._batch is not None
    assert torch.allclose(computed(ours), computed(theirs), atol=1e-5)

"""Grammars' masks as this package applies them on processors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.filterwarnings("ignore")
@given(
    rows=st.integers(1, 3), ids=st.integers(1, 200), words=st.integers(1, 6), seed=st.integers(0)
)
def test_an_id_stays_where_its_bit_is_set(rows: int, ids: int, words: int, seed: int) -> None:
    import torch

    from functionary_sgl.engines.sglang.scheduler.mask import apply

    dice = torch.Generator().manual_seed(seed % 2**32)
    logits = torch.randn(rows, ids, generator=dice)
    mask = torch.randint(-(2**31), 2**31, (rows, words), generator=dice).to(torch.int32)
    masked = logits.clone()
    apply(masked, mask)
    for row in range(rows):
        for place in range(ids):
            word = int(mask[row, place // 32]) if place // 32 < words else 0
            stays = word >> (place % 32) & 1
            expected = logits[row, place] if stays else -torch.inf
            assert masked[row, place] == expected


@pytest.mark.filterwarnings("ignore")
def test_it_is_what_sglang_applies(hooks: None) -> None:
    import torch
    from sglang.srt.constrained import llguidance_backend

    logits = torch.zeros(1, 40)
    mask = torch.tensor([[0b101, 0]], dtype=torch.int32)
    llguidance_backend.apply_token_bitmask_inplace(logits, mask)
    assert (logits[0] == 0).nonzero().flatten().tolist() == [0, 2]

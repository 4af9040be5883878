"""How ids are drawn on processors: as SGLang draws them, without its sort."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.filterwarnings("ignore")

BOUNDS = st.tuples(
    st.sampled_from([1, 2, 5, 2**30]),
    st.sampled_from([0.01, 0.3, 0.9, 1.0]),
    st.sampled_from([0.0, 0.1, 0.6, 1.0]),
)
# Small numbers, of which many are equal.
ROWS = st.lists(st.integers(0, 6), min_size=1, max_size=30).filter(any)


def row_of(weights: list[int]) -> Any:
    import torch

    # Sums of such a row are exact, in whatever order.
    size = 2 ** (sum(weights) - 1).bit_length()
    return torch.tensor([[*weights, size - sum(weights)]], dtype=torch.float32) / size


def bounds_of(bounds: tuple[int, float, float]) -> Any:
    import torch

    top_k, top_p, min_p = bounds
    return torch.tensor([top_k]), torch.tensor([top_p]), torch.tensor([min_p])


@given(weights=ROWS, bounds=BOUNDS)
def test_the_same_ids_are_kept_as_by_a_sort(
    weights: list[int], bounds: tuple[int, float, float]
) -> None:
    from functionary_sgl.engines.sglang.scheduler.draw import kept
    from functionary_sgl.engines.sglang.scheduler.nucleus import Bounds, is_kept

    row = row_of(weights)
    told = Bounds(*(one.item() for one in bounds_of(bounds)))
    expected = kept(row, *bounds_of(bounds))[0]
    for token_id, prob in enumerate(row[0].tolist()):
        if prob:
            assert is_kept(row[0].numpy(), token_id, told) == (expected[token_id] > 0)


@given(weights=ROWS, bounds=BOUNDS, seed=st.integers(0, 2**63 - 1))
def test_a_seed_draws_what_it_draws_behind_a_sort(
    weights: list[int], bounds: tuple[int, float, float], seed: int
) -> None:
    import torch

    from functionary_sgl.engines.sglang.scheduler.draw import draw, kept
    from functionary_sgl.engines.sglang.scheduler.nucleus import drawn_by_seed

    row, place = row_of(weights), torch.tensor([9])
    expected = draw(kept(row, *bounds_of(bounds)), [seed], place)
    assert drawn_by_seed(row, [seed], place, *bounds_of(bounds)).tolist() == expected.tolist()


@given(weights=ROWS)
def test_each_id_has_its_share(weights: list[int]) -> None:
    from functionary_sgl.engines.sglang.scheduler.nucleus import at_share

    row, count = row_of(weights)[0].numpy(), 256
    ids = [at_share(row, (number + 0.5) / count) for number in range(count)]
    assert [ids.count(token_id) for token_id in range(len(row))] == (row * count).tolist()


@pytest.mark.parametrize("share", [0.0, 1 - 2**-53])
def test_no_share_falls_on_an_id_without_probability(share: float) -> None:
    import numpy as np

    from functionary_sgl.engines.sglang.scheduler.nucleus import at_share

    for middle in (1.0, 1 / 3, 0.7 + 2**-20):
        assert at_share(np.array([0, middle, 0], np.float32), share) == 1


@given(weights=ROWS, bounds=BOUNDS)
def test_what_is_not_kept_is_drawn_again_among_what_is_left(
    weights: list[int], bounds: tuple[int, float, float]
) -> None:
    """Whoever draws the least probable that is left comes at last to one that is kept."""
    import numpy as np

    from functionary_sgl.engines.sglang.scheduler.draw import kept
    from functionary_sgl.engines.sglang.scheduler.nucleus import Bounds, drawn

    row = row_of(weights)
    expected = kept(row, *bounds_of(bounds))[0]
    least = [token_id for token_id, prob in enumerate(expected.tolist()) if prob]
    least.sort(key=lambda token_id: (-row[0, token_id].item(), token_id))
    told = Bounds(*(one.item() for one in bounds_of(bounds)))

    def draw_least(left: Any) -> int:
        ids = np.flatnonzero(left).tolist()
        return int(min(ids, key=lambda token_id: (left[token_id], -token_id)))

    assert drawn(row[0].numpy(), told, draw_least) == least[-1]


def test_sglang_draws_so(hooks: None) -> None:
    """And takes one number of PyTorch's generator, however many rows there are."""
    import torch
    from sglang.srt.layers import sampler

    count = 400
    probs = torch.tensor([[0.25, 0.5, 0.0, 0.25]]).expand(count, -1).contiguous()
    bounds = [one.expand(count) for one in bounds_of((2**30, 0.5, 0.0))]
    torch.manual_seed(7)
    torch.randint(2**62, ())
    after_one = torch.random.get_rng_state()
    for ids, expected in (
        (lambda: sampler.sampling_from_probs_torch(probs, sampling_seed=None), {0, 1, 3}),
        (
            lambda: sampler.top_k_top_p_min_p_sampling_from_probs_torch(
                probs, *bounds, False, None, None, max_top_k=None
            ),
            {0, 1},
        ),
    ):
        torch.manual_seed(7)
        assert set(ids().tolist()) == expected
        assert torch.random.get_rng_state().equal(after_one)

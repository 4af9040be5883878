"""Draws by a seed: as random as they should be, and the same again."""

import math

import pytest
import torch

from functionary_sgl.engines.base import Sampling
from functionary_sgl.engines.sglang.scheduler.draw import draw, kept
from functionary_sgl.runtime.sampling import pick

PROBS = torch.tensor([0.5, 0.3, 0.15, 0.05, 0.0])


def drawn(probs: torch.Tensor, seeds: list[int], positions: list[int]) -> list[int]:
    rows = probs.expand(len(seeds), -1)
    ids: list[int] = draw(rows, seeds, torch.tensor(positions)).tolist()
    return ids


@pytest.mark.parametrize("varied", ["seed", "position"])
def test_ids_are_drawn_with_their_probability(varied: str) -> None:
    count, numbers = 40_000, list(range(40_000))
    same = [7] * count
    ids = drawn(PROBS, numbers if varied == "seed" else same, same if varied == "seed" else numbers)
    for token_id, probability in enumerate(PROBS.tolist()):
        deviation = math.sqrt(probability * (1 - probability) / count)
        assert abs(ids.count(token_id) / count - probability) <= 4 * deviation


def test_draws_at_neighbouring_places_have_nothing_to_do_with_each_other() -> None:
    count = 20_000
    half = torch.tensor([0.5, 0.5])
    first = drawn(half, [1] * count, list(range(count)))
    for second in (
        drawn(half, [1] * count, list(range(1, count + 1))),
        drawn(half, [2] * count, list(range(count))),
        drawn(half, [1 + 2**32] * count, list(range(count))),
        drawn(half, [-1] * count, list(range(count))),
    ):
        equal = sum(a == b for a, b in zip(first, second, strict=True))
        assert abs(equal / count - 0.5) <= 4 * math.sqrt(0.25 / count)


def test_many_ids_are_all_drawn() -> None:
    uniform = torch.full((1_000,), 0.001)
    ids = drawn(uniform, list(range(20_000)), [3] * 20_000)
    assert len(set(ids)) == 1_000
    assert max(ids.count(token_id) for token_id in range(1_000)) <= 20 + 6 * math.sqrt(20)


def test_the_rest_of_the_batch_does_not_matter() -> None:
    probs = torch.rand(8, 500)
    seeds, positions = list(range(8)), torch.arange(8) + 100
    together = draw(probs, seeds, positions).tolist()
    alone = [
        draw(probs[row : row + 1], [seeds[row]], positions[row : row + 1]).item()
        for row in range(8)
    ]
    assert together == alone


def test_what_is_kept() -> None:
    rows = torch.tensor([[0.1, 0.4, 0.2, 0.3]]).expand(5, -1)
    top_ks = torch.tensor([2, 2**30, 2**30, 2**30, 1])
    top_ps = torch.tensor([1.0, 0.6, 1.0, 1.0, 0.9])
    min_ps = torch.tensor([0.0, 0.0, 0.6, 0.0, 0.9])
    assert (kept(rows, top_ks, top_ps, min_ps) > 0).tolist() == [
        [False, True, False, True],
        [False, True, False, True],
        [False, True, False, True],
        [True, True, True, True],
        [False, True, False, False],
    ]


def test_nothing_is_lost_to_rounding_where_all_is_wanted() -> None:
    probs = torch.softmax(torch.randn(4, 50_000), -1)
    all_ids = torch.full((4,), 2**30), torch.ones(4), torch.zeros(4)
    assert kept(probs, *all_ids).equal(probs)


def test_candidates_are_drawn_as_among_all_ids() -> None:
    """What a name's branches are drawn by is what ids in a grammar are drawn by."""
    probs = torch.rand(300, 50)
    ids = [3, 17, 18, 49]
    for row, seed in enumerate(range(-5, 295)):
        sampling = Sampling(seed=seed, top_p=0.9 if row % 2 else 1.0)
        logprobs = probs[row, ids].log().tolist()
        masked = torch.zeros(1, 50)
        masked[0, ids] = probs[row, ids] / probs[row, ids].sum()
        rest = kept(masked, torch.tensor([50]), torch.tensor([sampling.top_p]), torch.zeros(1))
        expected = draw(rest, [seed % 2**63], torch.tensor([row + 6])).item()
        assert ids[pick(logprobs, ids, sampling, row + 7)] == expected

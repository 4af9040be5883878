"""Choices are made where token ids part, and nowhere else."""

import asyncio
import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functionary_sgl.engines.base import Sampling, Scores
from functionary_sgl.runtime.choice import choose
from functionary_sgl.runtime.sampling import pick

GREEDY = Sampling(temperature=0.0)


def chosen(choices: list[list[int]], likes: dict[int, float]) -> tuple[int, list[list[int]]]:
    """The index chosen by an engine with these log-probabilities, and what it was asked."""
    asked: list[list[int]] = []

    async def score(before: Sequence[int], candidates: Sequence[int]) -> Scores:
        asked.append([*before, *candidates])
        return Scores([likes.get(candidate, -9.0) for candidate in candidates])

    return asyncio.run(choose([0], choices, GREEDY, score)), asked


def test_a_single_choice_needs_no_engine() -> None:
    assert chosen([[1, 2, 3]], {}) == (0, [])


def test_shared_beginnings_are_taken_unasked() -> None:
    index, asked = chosen([[1, 2, 3], [1, 2, 4]], {4: -0.1})
    assert index == 1
    assert asked == [[0, 1, 2, 3, 4]]


def test_a_name_and_a_longer_one_part_at_the_newline() -> None:
    get, weather, forecast, newline = 1, 2, 3, 4
    choices = [[get, weather, newline], [get, weather, forecast, newline]]
    assert chosen(choices, {newline: -1.0})[0] == 0
    assert chosen(choices, {forecast: -1.0})[0] == 1


def test_the_first_difference_decides_whatever_comes_later() -> None:
    assert chosen([[1, 9], [2, 3]], {1: -0.1, 2: -0.2, 3: 0.0})[0] == 0


@given(st.lists(st.floats(-30, 0), min_size=1, max_size=6))
def test_temperature_nought_takes_the_likeliest(logprobs: list[float]) -> None:
    assert logprobs[pick(logprobs, range(9), GREEDY, 0)] == max(logprobs)


@given(st.lists(st.floats(-30, 0), min_size=2, max_size=6), st.integers(0, 5))
def test_a_seed_decides_the_draw(logprobs: list[float], seed: int) -> None:
    sampling = Sampling(temperature=1.0, seed=seed)
    assert pick(logprobs, range(9), sampling, 7) == pick(logprobs, range(9), sampling, 7)


@pytest.mark.parametrize(
    ("sampling", "possible"),
    [
        (Sampling(top_k=1), {1}),
        (Sampling(top_k=2), {1, 2}),
        (Sampling(top_p=0.5), {1}),
        (Sampling(top_p=0.8), {1, 2}),
        (Sampling(min_p=0.4), {1, 2}),
        (Sampling(), {0, 1, 2}),
        (Sampling(temperature=0.05), {1}),
    ],
)
def test_draws_keep_to_the_samplings_bounds(sampling: Sampling, possible: set[int]) -> None:
    logprobs = [math.log(0.1), math.log(0.6), math.log(0.3)]
    assert {pick(logprobs, range(3), sampling, 0) for _ in range(400)} == possible

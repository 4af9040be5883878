"""How many threads compute a pass."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from functionary_sgl.engines.sglang.scheduler.threads import ALONE, share

CORES = 3


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(CORES)
    yield
    torch.set_num_threads(before)


def _runner(weights: int) -> Any:
    with torch.device("meta"):  # without memory
        return SimpleNamespace(model=torch.nn.Linear(weights, 1, bias=False))


def _batch(rows: int) -> Any:
    return SimpleNamespace(positions=torch.arange(rows))


def test_few_rows_of_a_small_model_are_computed_by_one_thread_and_many_by_all() -> None:
    runner = _runner(2**23)
    for rows, threads in ((1, 1), (64, 1), (65, CORES), (1024, CORES), (16, 1), (100, CORES)):
        share(runner, _batch(rows))
        assert torch.get_num_threads() == threads, rows


def test_a_large_model_is_always_computed_by_all() -> None:
    share(_runner(ALONE + 1), _batch(1))
    assert torch.get_num_threads() == CORES

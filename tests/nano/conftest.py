"""The tokenizer and sampler of the shipped model."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from nano.tokens import batches
from nano.tokens.samples import Sampler
from nano.training.export import OUTPUT

TOKENIZER = OUTPUT / "tokenizer.json"

# The models of these tests are too small to be shared among threads, which wait for one another and
# for those of the tests beside them.
torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def small_chunks() -> Iterator[None]:
    """To draw a whole chunk takes longer than all the steps that a test makes with it."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(batches, "CHUNK", 96)
        yield


@pytest.fixture(scope="session")
def sampler() -> Sampler:
    return Sampler(TOKENIZER)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory in which a training can begin."""
    (tmp_path / "tokenizer.json").write_bytes(TOKENIZER.read_bytes())
    return tmp_path

"""The tokenizer and sampler of the shipped model."""

from pathlib import Path

import pytest

from nano.tokens.samples import Sampler
from nano.training.export import OUTPUT

TOKENIZER = OUTPUT / "tokenizer.json"


@pytest.fixture(scope="session")
def sampler() -> Sampler:
    return Sampler(TOKENIZER)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory in which a training can begin."""
    (tmp_path / "tokenizer.json").write_bytes(TOKENIZER.read_bytes())
    return tmp_path

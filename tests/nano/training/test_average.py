"""The average of a model before and after a training."""

from pathlib import Path

import pytest
import torch

from nano.network import model
from nano.network.llama import load
from nano.tokens.samples import Sampler
from nano.training.average import average
from nano.training.export import OUTPUT

SHAPE = {
    "hidden_size": 32,
    "intermediate_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
}


@pytest.fixture
def ends(sampler: Sampler, tmp_path: Path) -> tuple[Path, Path]:
    """A model, and another one with a layer more, which began as the first."""
    torch.manual_seed(0)
    first = model.build(SHAPE, sampler.tokenizer)
    first.save_pretrained(tmp_path / "before")
    model.deepen(first, [1])
    for weight in first.parameters():
        weight.data += torch.randn_like(weight)
    first.save_pretrained(tmp_path / "after")
    (tmp_path / "after" / "tokenizer.json").write_text("{}")
    return tmp_path / "before", tmp_path / "after"


def test_weights_are_between_those_of_the_ends(ends: tuple[Path, Path], tmp_path: Path) -> None:
    before, after = ends
    average(before, after, tmp_path / "output", share=0.25, new_layers_after=[1])
    assert (tmp_path / "output" / "tokenizer.json").read_text() == "{}"
    first, last, made = (load(path) for path in (before, after, tmp_path / "output"))
    model.deepen(first, [1])
    assert made.config.num_hidden_layers == 3
    ends_of = zip(first.parameters(), last.parameters(), made.parameters(), strict=True)
    for one, other, weight in ends_of:
        torch.testing.assert_close(weight, 0.75 * one + 0.25 * other, atol=0.02, rtol=0.01)


def test_ends_of_different_shapes_are_refused(ends: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="new-layers-after"):
        average(*ends, tmp_path / "output", share=0.5, new_layers_after=[])


def test_the_shipped_weights_are_their_own_average(tmp_path: Path) -> None:
    average(OUTPUT, OUTPUT, tmp_path, share=0.5, new_layers_after=[])
    assert (tmp_path / "config.json").read_bytes() == (OUTPUT / "config.json").read_bytes()
    made, shipped = (load(path, dtype=None) for path in (tmp_path, OUTPUT))
    for one, other in zip(made.parameters(), shipped.parameters(), strict=True):
        assert torch.equal(one, other)

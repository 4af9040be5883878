"""Our Muon makes the steps of PyTorch's."""

import pytest
import torch
from torch import nn

from nano.network import muon
from nano.network.muon import Muon, orthogonal

SHAPES = ((24, 24), (24, 24), (40, 24), (24, 40))


def test_it_makes_the_steps_of_pytorchs(monkeypatch: pytest.MonkeyPatch) -> None:
    # PyTorch's computes in bfloat16 everywhere.
    monkeypatch.setattr(muon, "compute_dtype", lambda device: torch.bfloat16)
    torch.manual_seed(0)
    mine = [nn.Parameter(torch.randn(shape)) for shape in SHAPES]
    theirs = [nn.Parameter(matrix.detach().clone()) for matrix in mine]
    optimizers = [
        Muon(mine, lr=0.02),
        torch.optim.Muon(theirs, lr=0.02, momentum=0.95, weight_decay=0.01),
    ]
    for _ in range(4):
        for one, other in zip(mine, theirs, strict=True):
            one.grad = torch.randn(one.shape)
            other.grad = one.grad.clone()
        for optimizer in optimizers:
            optimizer.step()
    for one, other in zip(mine, theirs, strict=True):
        # They have gone 0.045 at most; bfloat16 is off by up to 6e-4 from the same in float32.
        torch.testing.assert_close(one, other, atol=2e-3, rtol=0)


@pytest.mark.parametrize("shape", [(3, 16, 16), (2, 48, 16), (2, 16, 48)])
def test_a_step_goes_about_equally_far_in_all_directions(shape: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonal(torch.randn(shape)).float())
    assert 0.3 < values.min() <= values.max() < 1.3

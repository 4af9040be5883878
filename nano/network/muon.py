"""Muon: momentum whose steps are made orthogonal.

The rule is Keller Jordan's ("Muon: An optimizer for hidden layers in neural networks", 2024), and
the steps are those of torch.optim.Muon. But PyTorch's always computes in bfloat16, one matrix at a
time: on a processor without instructions for bfloat16 a step took 12 seconds where this one, in the
format that the machine is good at and with matrices of one shape together, takes half of one.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from nano.network.precision import compute_dtype

_COEFFICIENTS = 3.4445, -4.7750, 2.0315
_ITERATIONS = 5


class Muon(torch.optim.Optimizer):  # type: ignore[misc]
    """Muon with Nesterov momentum for matrices; weight decay is decoupled from gradients."""

    def __init__(
        self,
        matrices: Iterable[nn.Parameter],
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(matrices, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def step(self, closure: Callable[[], float] | None = None) -> None:
        """One step with the gradients that the matrices have; all must have one."""
        for group in self.param_groups:
            alike: dict[torch.Size, list[nn.Parameter]] = defaultdict(list)
            for matrix in group["params"]:
                alike[matrix.shape].append(matrix)
            for matrices in alike.values():
                self._step(matrices, group)

    def _step(self, matrices: list[nn.Parameter], group: dict[str, Any]) -> None:
        momentum, rate = group["momentum"], group["lr"]
        directions = []
        for matrix in matrices:
            assert matrix.grad is not None
            state = self.state[matrix]
            if not state:
                state["momentum_buffer"] = torch.zeros_like(matrix)
            buffer = state["momentum_buffer"].lerp_(matrix.grad, 1 - momentum)
            directions.append(matrix.grad.lerp(buffer, momentum))
        steps = orthogonal(torch.stack(directions)).to(matrices[0].dtype)
        rows, columns = matrices[0].shape
        size = rate * max(1.0, rows / columns) ** 0.5
        for matrix, step in zip(matrices, steps, strict=True):
            matrix.mul_(1 - rate * group["weight_decay"]).add_(step, alpha=-size)


def orthogonal(matrices: Tensor) -> Tensor:
    """About the nearest matrices with orthogonal rows or columns, by Newton-Schulz iterations: the
    singular values end between about 0.7 and 1.2. Shape: [matrices, rows, columns]."""
    tall = matrices.size(1) > matrices.size(2)
    found = matrices.to(compute_dtype(matrices.device))
    found = found.mT if tall else found
    found = found / found.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    once, thrice, five_times = _COEFFICIENTS
    for _ in range(_ITERATIONS):
        gram = found @ found.mT
        update = torch.baddbmm(gram, gram, gram, beta=thrice, alpha=five_times)
        found = torch.baddbmm(found, update, found, beta=once)
    return found.mT if tall else found

"""Probes: what a layer must already know of a request is asked of it while it learns.

Whom an answer is to is one token, and says little of why. So a model is slow to learn what has to
be understood before: which function a request wants, which parameter each value in it is for, and
so which of the parameters that it needs are not there. Here each of these is asked of the hidden
states behind a layer and counts in the loss, as deep supervision does (Lee et al.,
"Deeply-Supervised Nets", 2015). The probes are small, they see no more than two tokens each, and
are no part of the model that is shipped.
"""

from collections import defaultdict
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from nano.settings import ProbeSettings
from nano.tokens.samples import Sample

_WIDTH = 64


class _Pointer(nn.Module):  # type: ignore[misc]
    """How well each token refers to each other one, from their hidden states."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.query = nn.Linear(size, _WIDTH)
        self.key = nn.Linear(size, _WIDTH, bias=False)

    def forward(self, state: Tensor, places: Sequence[int], others: Sequence[int]) -> Tensor:
        """The logits, [places, others], where `state` is one row's, [length, size]."""
        size = (state.size(-1),)
        query = self.query(functional.rms_norm(state[list(places)].float(), size))
        key = self.key(functional.rms_norm(state[list(others)].float(), size))
        return query @ key.T / _WIDTH**0.5


class Probes(nn.Module):  # type: ignore[misc]
    """Probes of a model with hidden states of `size` numbers."""

    def __init__(self, size: int, settings: ProbeSettings) -> None:
        super().__init__()
        self.settings = settings
        self.wanted, self.values, self.needed = (_Pointer(size) for _ in range(3))

    def losses(self, states: Sequence[Tensor], samples: Sequence[Sample]) -> dict[str, Tensor]:
        """The mean loss of each probe that these samples, the rows, have questions for. `states`
        are those behind each layer, [rows, length, size]."""
        asks = self.settings
        found: dict[str, list[Tensor]] = defaultdict(list)
        for row, refers in enumerate(sample.links for sample in samples):
            behind = dict(enumerate((state[row] for state in states), start=1))
            if refers.wanted:
                chosen = _chosen(self.wanted, behind[asks.wanted], refers.wanted, refers.functions)
                found["wanted"].append(chosen)
            if refers.values:
                chosen = _chosen(self.values, behind[asks.values], refers.values, refers.parameters)
                found["values"].append(chosen)
            if refers.needed:
                found["needed"].append(_lacks(self.needed, behind[asks.needed], refers.needed))
        return {name: torch.cat(losses).mean() for name, losses in found.items()}


def _chosen(
    pointer: _Pointer, state: Tensor, pairs: Sequence[tuple[int, int]], offered: Sequence[int]
) -> Tensor:
    """What it costs that of all that is `offered` each place refers to one."""
    places, chosen = zip(*pairs, strict=True)
    targets = torch.tensor([offered.index(one) for one in chosen], device=state.device)
    return functional.cross_entropy(pointer(state, places, offered), targets, reduction="none")


def _lacks(pointer: _Pointer, state: Tensor, asked: Sequence[tuple[int, int, bool]]) -> Tensor:
    """What it costs that each place says of a parameter whether it is lacking."""
    places, parameters, lacks = zip(*asked, strict=True)
    targets = torch.tensor(lacks, dtype=torch.float32, device=state.device)
    logits = pointer(state, places, parameters).diagonal()
    return functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")

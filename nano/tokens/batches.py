"""Batches of samples of about the same length; a position in them is a chunk and a batch."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

import torch

from nano.tokens.samples import Sample

GRAIN = 16
"""Rows are filled up to a multiple of it."""
CHUNK = 768


@dataclass(frozen=True)
class Batch:
    """What a model reads and learns at once; all tensors are [rows, length].

    ids: token ids, filled up with 0. answer: whether each is part of an answer. recipient: whether
    it is part of a recipient in an answer. samples: what the rows are. branch: which branch of its
    sample each id is in, from 1 on, and 0 before them; None where no sample has branches.
    """

    ids: torch.Tensor
    answer: torch.Tensor
    recipient: torch.Tensor
    samples: list[Sample]
    branch: torch.Tensor | None = None

    @property
    def recipients(self) -> torch.Tensor:
        """For each token of the answers that is to be learned: whether it is in a recipient."""
        return self.recipient[:, 1:][self.answer[:, 1:]]

    @property
    def positions(self) -> torch.Tensor:
        """The position of each id in its text, [rows, length]: branches go on where they begin."""
        places = torch.arange(self.ids.size(1)).repeat(len(self.samples), 1)
        for row, sample in enumerate(self.samples):
            for first, end in sample.branches:
                places[row, first:end] -= first - sample.branches[0][0]
        return places

    @property
    def sees(self) -> torch.Tensor | None:
        """Which ids each one attends to, [rows, 1, length, length]; None: all up to itself."""
        if self.branch is None:
            return None
        mine, others = self.branch[:, None, :, None], self.branch[:, None, None, :]
        return ((others == 0) | (others == mine)).tril()


def chunk(
    draw: Callable[[Random], Sample], seed: str, index: int, tokens: int, longest: int
) -> list[Batch]:
    """The batches of chunk `index`, of about `tokens` ids each; always the same for the same
    arguments. Samples longer than `longest` are left out."""
    randoms = (Random(f"{seed}:{index}:{number}") for number in range(CHUNK))
    samples = [sample for random in randoms if len((sample := draw(random)).ids) <= longest]
    samples.sort(key=lambda sample: -len(sample.ids))
    made = list(_made(samples, tokens))
    Random(f"{seed}:{index}").shuffle(made)
    return made


def _made(samples: list[Sample], tokens: int) -> Iterator[Batch]:
    """Full batches; what is left of the shortest samples is dropped."""
    while samples:
        length = -(-len(samples[0].ids) // GRAIN) * GRAIN
        rows = max(1, tokens // length)
        if len(samples) < rows:
            return
        yield batch(samples[:rows], length)
        samples = samples[rows:]


def batch(samples: list[Sample], length: int) -> Batch:
    """One batch whose rows are `length` ids long."""
    ids = torch.zeros(len(samples), length, dtype=torch.long)
    for row, sample in enumerate(samples):
        ids[row, : len(sample.ids)] = torch.tensor(sample.ids)
    answer = _numbered([sample.answers for sample in samples], length) > 0
    recipient = _numbered([sample.recipients for sample in samples], length) > 0
    branches = [sample.branches for sample in samples]
    branch = _numbered(branches, length) if any(branches) else None
    return Batch(ids, answer, recipient, samples, branch)


def _numbered(rows: list[list[tuple[int, int]]], length: int) -> torch.Tensor:
    """Which of its row's places each id is in, from 1 on; 0 where it is in none."""
    numbers = torch.zeros(len(rows), length, dtype=torch.long)
    for row, places in enumerate(rows):
        for number, (first, end) in enumerate(places, start=1):
            numbers[row, first:end] = number
    return numbers

"""Batches of samples of about the same length; a position in them is a chunk and a batch."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

import torch

from nano.samples import Sample

GRAIN = 16
"""Rows are filled up to a multiple of it."""
CHUNK = 768


@dataclass(frozen=True)
class Batch:
    """ids: token ids, filled up with 0, [rows, length]. answer: whether each is part of an answer,
    [rows, length]. samples: what the rows are."""

    ids: torch.Tensor
    answer: torch.Tensor
    samples: list[Sample]

    @property
    def answers(self) -> int:
        """How many tokens of answers are to be learned."""
        return int(self.answer[:, 1:].sum())


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
    answer = torch.zeros(len(samples), length, dtype=torch.bool)
    for row, sample in enumerate(samples):
        ids[row, : len(sample.ids)] = torch.tensor(sample.ids)
        for first, end in sample.answers:
            answer[row, first:end] = True
    return Batch(ids, answer, samples)

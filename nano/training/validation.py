"""How good the model is, on conversations and exercises that it never learns from.

An answer is right when each of its tokens is the likeliest one after those before it: exactly then
the model, asked for the likeliest, writes it.
"""

from collections import defaultdict
from random import Random

import torch

from nano.data import conversations
from nano.data.scenes import Draw
from nano.network import model
from nano.network.llama import Llama
from nano.tokens import batches
from nano.tokens.copying import Copying
from nano.tokens.samples import Sample, Sampler

_LONGEST = 768


class Validation:
    """`count` conversations with held-out words, as `talk` draws them, half as many exercises."""

    def __init__(
        self, sampler: Sampler, count: int, talk: Draw = conversations.conversation
    ) -> None:
        tokenizer = sampler.tokenizer
        drawn = (Random(f"validation:{index}") for index in range(count))
        talks = [sampler.sample(talk(r, "heldout")) for r in drawn]
        copying = Copying(tokenizer)
        exercises = [copying.sample(Random(f"copying:{index}")) for index in range(count // 2)]
        self._is_text = sampler.is_text
        self._talks = self._batches([talk for talk in talks if len(talk.ids) <= _LONGEST])
        self._exercises = self._batches(exercises)

    @staticmethod
    def _batches(samples: list[Sample]) -> list[batches.Batch]:
        ordered = sorted(samples, key=lambda sample: len(sample.ids))
        rows = [ordered[index : index + 16] for index in range(0, len(ordered), 16)]
        return [batches.batch(row, max(len(sample.ids) for sample in row)) for row in rows]

    def measure(self, trained: Llama) -> dict[str, float]:
        """Shares from 0 to 1. calls, texts: answers of this kind that are exactly right. decision:
        answers begun with the right recipient. tokens: right tokens, on average over the answers.
        copying: right tokens of the exercises. loss: of the conversations' answers."""
        found: dict[str, list[float]] = defaultdict(list)
        losses = []
        right = []
        with torch.no_grad():
            for made in self._talks:
                logits, ids = model.answer_logits(trained, made)
                losses.append(model.loss(logits, ids).item())
                self._judge(made, (logits.argmax(-1) == ids).tolist(), found)
            for made in self._exercises:
                logits, ids = model.answer_logits(trained, made)
                right.append((logits.argmax(-1) == ids).float().mean().item())
        shares = {name: sum(values) / len(values) for name, values in found.items()}
        return shares | {
            "copying": sum(right) / len(right),
            "loss": sum(losses) / len(losses),
        }

    def _judge(self, made: batches.Batch, right: list[bool], found: dict[str, list[float]]) -> None:
        place = 0
        for sample in made.samples:
            recipients = dict(sample.recipients)
            for first, end in sample.answers:
                mine = right[place : place + end - first]
                place += end - first
                is_text = self._is_text(sample.ids, first)
                found["texts" if is_text else "calls"].append(float(all(mine)))
                found["decision"].append(float(all(mine[: recipients[first] - first])))
                found["tokens"].append(sum(mine) / len(mine))

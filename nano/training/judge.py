"""Judge weights without an engine, in half a minute: to choose between checkpoints and averages.

    python -m nano.training.judge MODEL [MODEL ...] [--seed SEED] [--count N]

Requests like those of the evaluation (nano.data.heldout), N of each category, but others. Each
token is judged after the right ones before it and without constraints: less than what the server
makes of the same weights, and enough to compare them.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch

from nano.data import heldout
from nano.data.scenes import asked
from nano.network import model
from nano.network.llama import Llama, load
from nano.tokens import batches
from nano.tokens.samples import Sample, Sampler


@dataclass(frozen=True)
class Score:
    """How many answers there were, how many of them began with the right recipients, and how many
    were right to the last token."""

    answers: int = 0
    decision: int = 0
    exact: int = 0

    def __add__(self, other: "Score") -> "Score":
        return Score(
            self.answers + other.answers,
            self.decision + other.decision,
            self.exact + other.exact,
        )


def judge(directory: Path, seed: str, count: int) -> dict[str, Score]:
    """The scores of the model in `directory`, by category."""
    sampler = Sampler(directory / "tokenizer.json")
    trained = load(directory)
    scores: dict[str, Score] = defaultdict(Score)
    for category, scene in heldout.scenes(seed, count):
        scores[category] += _judge(trained, sampler.sample(asked(scene)))
    return scores


def _judge(trained: Llama, sample: Sample) -> Score:
    first, end = sample.answers[-1]
    batch = batches.batch([Sample(sample.ids[:end], [(first, end)])], end)
    with torch.no_grad():
        logits, ids = model.answer_logits(trained, batch)
    right = logits.argmax(-1) == ids
    decided = right[: dict(sample.recipients)[first] - first]
    return Score(1, int(decided.all()), int(right.all()))


def _row(name: str, score: Score) -> str:
    shares = (100 * part / score.answers for part in (score.decision, score.exact))
    return f"{name:26}" + "".join(f"{share:10.1f} %" for share in shares)


def _report(directory: Path, scores: dict[str, Score]) -> Iterable[str]:
    yield f"{directory!s:26}{'decision':>12}{'exact':>12}"
    yield from (_row(category, score) for category, score in scores.items())
    yield _row("all", sum(scores.values(), Score()))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL")
    parser.add_argument("--seed", default="judge", help="another one draws other requests")
    parser.add_argument("--count", type=int, default=60)
    options = parser.parse_args()
    for directory in options.models:
        print(*_report(directory, judge(directory, options.seed, options.count)), sep="\n")


if __name__ == "__main__":
    main()

"""Average the weights of a model before and after a training: often better than both.

    python -m nano.training.average BEFORE AFTER OUTPUT [--share SHARE]
                                    [--new-layers-after N [N ...]]

BEFORE and AFTER are directories of models: what a training began with (--from), and what was
exported after it. OUTPUT gets AFTER's files, with weights between those of both: SHARE of AFTER's,
the rest of BEFORE's. Where the training gave the model new layers, BEFORE gets them too, and there
they do nothing. That weights between the ends of a training can be better than both was found by
Wortsman et al. ("Robust fine-tuning of zero-shot models", 2022).
"""

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

import torch

from nano.network import model
from nano.network.llama import load


def average(
    before: Path, after: Path, output: Path, share: float, new_layers_after: Sequence[int]
) -> None:
    """Write the average to `output`, in bfloat16; a ValueError if one has more layers."""
    begun, made = (load(end) for end in (before, after))
    model.deepen(begun, new_layers_after)
    first, last = begun.state_dict(), made.state_dict()
    if first.keys() != last.keys():
        raise ValueError(f"{before} and {after} differ in layers: say --new-layers-after")
    made.load_state_dict({name: weight.lerp(last[name], share) for name, weight in first.items()})
    shutil.copytree(after, output, dirs_exist_ok=True)
    made.to(torch.bfloat16).save_pretrained(output)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    for name in ("before", "after", "output"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--share", type=float, default=0.5)
    parser.add_argument("--new-layers-after", type=int, nargs="+", default=[])
    options = parser.parse_args()
    average(options.before, options.after, options.output, options.share, options.new_layers_after)


if __name__ == "__main__":
    main()

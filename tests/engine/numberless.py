"""A model as a broken download, or a training that went astray, leaves it."""

import shutil
from pathlib import Path

from safetensors.torch import load_file, save_file

from tests.conftest import TINY


def build(directory: Path) -> None:
    """A copy of the tiny model, with one weight that is no number, in the last norm."""
    shutil.copytree(TINY, directory)
    weights = load_file(directory / "model.safetensors")
    weights["model.norm.weight"][0] = float("nan")
    save_file(weights, directory / "model.safetensors", metadata={"format": "pt"})

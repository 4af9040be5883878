"""Weights are judged by the answers that they would write."""

import shutil
from pathlib import Path

import torch

from nano.data import heldout
from nano.network.llama import load
from nano.training.export import OUTPUT
from nano.training.judge import Score, judge


def test_every_category_is_judged_and_what_decides_wrongly_is_not_exact() -> None:
    scores = judge(OUTPUT, "tests", 2)
    assert list(scores) == list(dict.fromkeys(name for name, _ in heldout.scenes("tests", 1)))
    for score in scores.values():
        assert 2 == score.answers >= score.decision >= score.exact >= 0
    assert sum(score.decision for score in scores.values()) > len(scores)


def test_weights_that_have_learned_nothing_get_nothing_right(tmp_path: Path) -> None:
    shutil.copytree(OUTPUT, tmp_path, dirs_exist_ok=True)
    emptied = load(OUTPUT)
    torch.nn.init.zeros_(emptied.model.norm.weight)
    emptied.save_pretrained(tmp_path)
    assert set(judge(tmp_path, "tests", 1).values()) == {Score(answers=1)}

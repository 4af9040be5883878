"""Copying: the exercises, and the weights that can do it before any training."""

import re
from random import Random

import torch

from nano import induction, model
from nano.copying import LENGTH, Copying
from nano.samples import Sampler
from nano.settings import Settings


def test_what_is_asked_for_was_there_before(sampler: Sampler) -> None:
    copying = Copying(sampler.tokenizer)
    for index in range(200):
        random = Random(index)
        pool = copying.pool(random)
        sample = random.choice((copying.again, copying.again, copying.recall))(random, pool)
        assert len(sample.ids) == LENGTH
        assert sample.answers
        for first, end in sample.answers:
            answer = sample.ids[first:end]
            before = [sample.ids[i : i + len(answer)] for i in range(first - len(answer) + 1)]
            assert answer in before or end == LENGTH or answer[:-1] in [b[:-1] for b in before]


def test_every_exercise_asks_something(sampler: Sampler) -> None:
    copying = Copying(sampler.tokenizer)
    for index in range(400):
        sample = copying.sample(Random(index))
        assert len(sample.ids) == LENGTH
        assert sample.answers


def test_members_that_are_asked_for_are_the_required_ones_of_the_group(sampler: Sampler) -> None:
    copying, tokenizer = Copying(sampler.tokenizer), sampler.tokenizer
    letters = [token for letter in "abcdefgh" for token in tokenizer.encode(letter)]
    marks = r'(?:": "|", "|: |, | and | is )'
    asked = 0
    for index in range(100):
        sample = copying.members(Random(index), letters)
        assert len(sample.ids) == LENGTH
        assert sample.answers
        groups = {
            name: [word for word, mark in re.findall(r"(\w+)(\??): string,", body) if not mark]
            for name, body in re.findall(
                r"(\w+) = \(_: \{\n(.*?)\}\) => any;", tokenizer.decode(sample.ids), re.S
            )
        }
        for first, end in sample.answers:
            if end < LENGTH:
                # The names' letters, for the mark before them has letters too.
                ends = re.split(marks, tokenizer.decode(sample.ids[:first]))[-2]
                answer = re.split(marks, tokenizer.decode(sample.ids[first:end]))[:-1]
                name = max((n for n in groups if ends.endswith(n)), key=len)
                assert [word for word in answer if word] == groups[name]
                asked += 1
    assert asked > 100


def test_new_weights_continue_a_sequence_as_it_went_on_before(sampler: Sampler) -> None:
    torch.manual_seed(1)
    new = model.build(Settings.read().model, sampler.tokenizer)
    piece = torch.randint(300, 2400, (4, 50))
    repeated = torch.cat([piece, piece], dim=1)

    def right() -> float:
        with torch.no_grad():
            said = new(repeated).logits[:, 55:-1].argmax(-1)
        return (said == repeated[:, 56:]).float().mean().item()

    assert right() < 0.05
    induction.prepare(new)
    assert right() > 0.5

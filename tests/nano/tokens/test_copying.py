"""Copying: the exercises, and the weights that can do it before any training."""

import re
from random import Random

import torch

from nano.network import induction, model
from nano.settings import Settings
from nano.tokens.copying import LENGTH, Copying
from nano.tokens.samples import Sampler


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
    asked = 0
    for index in range(100):
        sample = copying.members(Random(index), letters)
        text = tokenizer.decode(sample.ids)
        groups = {
            name: [word for word, mark in re.findall(r"(\w+)(\??): string,", body) if not mark]
            for name, body in re.findall(r"(\w+) = \(_: \{\n(.*?)\}\) => any;", text, re.S)
        }
        answered = {
            name: [word for word in said.split(", ") if word]
            for name, said in re.findall(r"(\w+) needs (.*?)\.\n", text)
        }
        assert answered == {name: groups[name] for name in answered}
        whole = [(first, end) for first, end in sample.answers if end < LENGTH]
        assert len(answered) >= len(whole), "a group is asked for twice"
        asked += len(whole)
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

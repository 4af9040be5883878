"""Exercises in copying, which is what a small model learns last.

Two of them, made of random tokens: a sequence again and again; and the values of keys, which are
asked for in any order.
"""

from random import Random

from functionary_sgl.tokenizer import Tokenizer
from nano.samples import Sample

LENGTH = 128


class Copying:
    """Exercises for a tokenizer, of `LENGTH` tokens."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        control = set(tokenizer.control_ids.values())
        texts = {i: tokenizer.decode([i]) for i in range(tokenizer.size) if i not in control}
        self._tokens = [i for i, text in texts.items() if len(text) < 20]
        self._bos = list(tokenizer.bos_ids)
        self._marks = [
            tokenizer.encode(text) for text in ('": "', '", "', ": ", ", ", " and ", " is ")
        ]

    def sample(self, random: Random) -> Sample:
        # With few different tokens there is something to learn before copying is learned.
        pool = random.sample(self._tokens, 2 ** random.randint(3, 9))
        task = random.choice((self._again, self._again, self._recall))
        return task(random, pool)

    def _again(self, random: Random, pool: list[int]) -> Sample:
        ids, answers = list(self._bos), []
        piece = _draw(random, pool, 4, LENGTH // 2)
        while len(ids) < LENGTH:
            ids += piece
            if len(ids) > len(piece) + len(self._bos):
                answers.append((len(ids) - len(piece) + 1, len(ids)))
            if random.random() < 0.5:
                ids += _draw(random, pool, 0, 6)
        return _cut(ids, answers)

    def _recall(self, random: Random, pool: list[int]) -> Sample:
        equals, comma = random.sample(self._marks, 2)
        pairs = [
            (_draw(random, pool, 1, 2), _draw(random, pool, 1, 6))
            for _ in range(random.randint(2, 7))
        ]
        ids, answers = list(self._bos), []
        for key, value in pairs:
            ids += key + equals + value + comma
        equals, comma = random.sample(self._marks, 2)
        while len(ids) < LENGTH:
            key, value = random.choice(pairs)
            ids += key + equals
            answers.append((len(ids), len(ids) + len(value) + len(comma)))
            ids += value + comma
        return _cut(ids, answers)


def _draw(random: Random, pool: list[int], least: int, most: int) -> list[int]:
    return random.choices(pool, k=random.randint(least, most))


def _cut(ids: list[int], answers: list[tuple[int, int]]) -> Sample:
    kept = [(first, min(end, LENGTH)) for first, end in answers if first < LENGTH]
    return Sample(ids[:LENGTH], kept)

"""Exercises in copying, which is what a small model learns last.

Three of them, made of random tokens: a sequence again and again; the values of keys, which are
asked for in any order; and the members of groups, written like the parameters of functions.
"""

from random import Random

from functionary_sgl.tokenizer import Tokenizer
from nano.samples import Sample

LENGTH = 128
_FUNCTION = (" = (_: {\n", "}) => any;\n\n")
_PARAMETER = (": string,\n", "?: string,\n")


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
        self._opened, self._closed = map(tokenizer.encode, _FUNCTION)
        self._required, self._optional = map(tokenizer.encode, _PARAMETER)

    def sample(self, random: Random) -> Sample:
        pool = self.pool(random)
        task = random.choice((self.again, self.again, self.recall, self.members))
        return task(random, pool)

    def pool(self, random: Random) -> list[int]:
        """The tokens that an exercise is made of. With few different ones there is something to
        learn before copying is learned."""
        return random.sample(self._tokens, 2 ** random.randint(3, 9))

    def again(self, random: Random, pool: list[int]) -> Sample:
        ids, answers = list(self._bos), []
        piece = _draw(random, pool, 4, LENGTH // 2)
        while len(ids) < LENGTH:
            ids += piece
            if len(ids) > len(piece) + len(self._bos):
                answers.append((len(ids) - len(piece) + 1, len(ids)))
            if random.random() < 0.5:
                ids += _draw(random, pool, 0, 6)
        return _cut(ids, answers)

    def recall(self, random: Random, pool: list[int]) -> Sample:
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

    def members(self, random: Random, pool: list[int]) -> Sample:
        """Groups with members, some of them optional; then names of groups, each with all that are
        not. Groups have members in common, so that only the group tells which they are."""
        words = _distinct(random, pool, random.randint(3, 8), most=2)
        ids: list[int] = list(self._bos)
        groups: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
        for name in _distinct(random, pool, random.randint(1, 4), most=3):
            chosen = random.sample(words, min(len(words), random.randint(1, 3)))
            groups[name] = [word for word in chosen if random.random() < 0.7]
            ids += [*name, *self._opened]
            for word in chosen:
                ids += [*word, *(self._required if word in groups[name] else self._optional)]
            ids += self._closed
            if len(ids) > LENGTH // 2:
                break
        equals, comma, end = random.sample(self._marks, 3)
        answers = []
        while len(ids) < LENGTH:
            name, required = random.choice(list(groups.items()))
            ids += [*name, *equals]
            answer = [*(token for word in required for token in (*word, *comma)), *end]
            answers.append((len(ids), len(ids) + len(answer)))
            ids += answer
        return _cut(ids, answers)


def _draw(random: Random, pool: list[int], least: int, most: int) -> list[int]:
    return random.choices(pool, k=random.randint(least, most))


def _distinct(random: Random, pool: list[int], count: int, most: int) -> list[tuple[int, ...]]:
    """At most `count` different draws."""
    return list(dict.fromkeys(tuple(_draw(random, pool, 1, most)) for _ in range(count)))


def _cut(ids: list[int], answers: list[tuple[int, int]]) -> Sample:
    kept = [(first, min(end, LENGTH)) for first, end in answers if first < LENGTH]
    return Sample(ids[:LENGTH], kept)

"""Exercises in copying, which is what a small model learns last.

Three of them, made of random tokens: a sequence again and again; the values of keys, which are
asked for in any order; and the members of groups, written like the parameters of functions.
"""

from random import Random

from functionary_sgl.tokenizer import Tokenizer
from nano.tokens.samples import Sample

LENGTH = 128
Word = tuple[int, ...]
_FUNCTION = (" = (_: {\n", "}) => any;\n\n")
_PARAMETER = (": string,\n", "?: string,\n")
_NEEDS = (" needs ", ", ", ".\n")


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
        self._needs, self._comma, self._end = map(tokenizer.encode, _NEEDS)

    def sample(self, random: Random) -> Sample:
        pool = self.pool(random)
        task = random.choice((self.again, self.recall, self.members, self.members))
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
        """Groups with members, some of them optional; then their names, each with all its members
        that are not. No group is asked for twice, as the second answer could be copied from the
        first. Groups have members in common, so that only the group tells which they are."""
        names = _distinct(random, pool, 16, most=3)
        ids, answers = list(self._bos), []
        while len(ids) < LENGTH and names:
            words = _distinct(random, pool, random.randint(3, 8), most=2)
            groups = []
            for _ in range(min(len(names), random.randint(1, 5))):
                chosen = random.sample(words, min(len(words), random.randint(1, 3)))
                required = [word for word in chosen if random.random() < 0.7]
                groups.append((name := names.pop(), required))
                ids += self._group(name, chosen, required)
            for name, required in random.sample(groups, len(groups)):
                ids += [*name, *self._needs]
                answer = [token for word in required for token in (*word, *self._comma)]
                answers.append((len(ids), len(ids) + len(answer) + len(self._end)))
                ids += answer + self._end
        return _cut(ids, answers)

    def _group(self, name: Word, words: list[Word], required: list[Word]) -> list[int]:
        ids = [*name, *self._opened]
        for word in words:
            ids += [*word, *(self._required if word in required else self._optional)]
        return ids + self._closed


def _draw(random: Random, pool: list[int], least: int, most: int) -> list[int]:
    return random.choices(pool, k=random.randint(least, most))


def _distinct(random: Random, pool: list[int], count: int, most: int) -> list[Word]:
    """At most `count` different draws."""
    return list(dict.fromkeys(tuple(_draw(random, pool, 1, most)) for _ in range(count)))


def _cut(ids: list[int], answers: list[tuple[int, int]]) -> Sample:
    kept = [(first, min(end, LENGTH)) for first, end in answers if first < LENGTH]
    return Sample(ids[:LENGTH], kept)

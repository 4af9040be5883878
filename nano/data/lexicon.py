"""Words of an English dictionary, far more than a small model can learn by heart: those that it
meets in training it has to copy, and so it learns to copy those that it has never met."""

import re
from collections.abc import Sequence
from functools import cache
from random import Random

from wonderwords import RandomWord, filter_profanity

_CATEGORIES = {"n": "noun", "a": "adjective", "v": "verb"}


@cache
def dictionary(letter: str) -> Sequence[str]:
    """All nouns "n", adjectives "a" or verbs "v" of up to twelve plain letters, sorted."""
    found = RandomWord().filter(include_categories=[_CATEGORIES[letter]])
    plain = (word for word in filter_profanity(found) if re.fullmatch("[a-z]{2,12}", word))
    return tuple(sorted(set(plain)))


def composed(random: Random, pattern: str, but: frozenset[str]) -> str:
    """`pattern` with a word, none of `but`, for each n, a and v in it; for N a capitalized noun."""

    def draw(letter: re.Match[str]) -> str:
        while (word := random.choice(dictionary(letter[0].lower()))) in but:
            pass
        return word if letter[0].islower() else word.capitalize()

    return re.sub("[navN]", draw, pattern)

"""The words that conversations are made of, split into those for training and those held out."""

import re
import tomllib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Literal

from nano.data.lexicon import composed, dictionary

Split = Literal["train", "heldout"]

_FILE = Path(__file__).parent / "words.toml"
_MORE = Path(__file__).parent / "everyday_words.toml"
_LISTS = (
    *("cities", "items", "topics", "songs", "titles", "texts"),
    *("rooms", "cuisines", "tasks", "money"),
)
# Lists whose words also stand in training: a held-out function has a noun that does not. What an
# unknown verb means could not be told from a request, so verbs are the same.
_SHARED = ("qualifiers", "read_verbs", "make_verbs", "drop_verbs", "edit_verbs", "sum_verbs")
# What training has in these lists beside what is written there, of a dictionary's nouns, adjectives
# and verbs.
_COMPOSED = {
    "facts": ("n", "n", "n_n"),
    "things": ("n", "n", "n_n"),
    "details": ("n", "n", "n_n"),
    "extras": ("n", "n", "n_n"),
    "qualifiers": ("a",),
    "do_verbs": ("v",),
    "states": ("a", "a", "n"),
    "cities": ("N", "N", "N N"),
    "first_names": ("N",),
    "last_names": ("N",),
    "items": ("n", "n", "a n", "n n"),
    "topics": ("n", "n", "a n", "n n"),
    "songs": ("N", "N N", "N N N"),
    "titles": ("n n", "a n", "n", "v n"),
    "rooms": ("n", "a n"),
    "cuisines": ("N", "a"),
    "tasks": ("v n", "v the n", "v n n"),
    "texts": ("v a n", "n v n n", "a n", "v n n a n", "n v a n a n"),
}
_ONSETS = (
    "b br c ch cl d dr f fl g gr h j k kl l m n p pr qu r s sh sk st t th tr v w x y z".split()
)
_VOWELS = "a e i o u a e i o u ai ea ee io ou y".split()
_CODAS = ["", "", "", "n", "r", "l", "s", "m", "t", "k", "x", "nd", "rt", "ll", "ck", "ng", "sk"]
_ACCENTS = str.maketrans("aeoucn", "áéöüçñ")


@dataclass(frozen=True)
class Words:
    """The word lists of one split, and words that are invented for it."""

    split: Split
    lists: dict[str, tuple[str, ...]]
    enums: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def held_out(self) -> bool:
        """Whether these are the evaluation's, whose requests stay worded as they were when it was
        made: so the scores of all weights can be compared."""
        return self.split == "heldout"

    def __getitem__(self, name: str) -> Sequence[str]:
        return self.lists[name]

    def draw(self, random: Random, name: str) -> str:
        """One entry of the list `name`."""
        return random.choice(self.lists[name])

    def sample(self, random: Random, name: str, count: int) -> list[str]:
        """`count` different entries of the list `name`."""
        return random.sample(self.lists[name], count)

    def word(self, random: Random, name: str) -> str:
        """One word of an entry of the list `name`."""
        return random.choice(" ".join(self.lists[name]).split())

    def invented(self, random: Random, *, accents: bool = False) -> str:
        """A word in lower case that sounds possible; the other split never has it. With `accents`,
        some have letters that are not ASCII, as no name of a function may have."""
        while True:
            parts = [
                random.choice(_ONSETS) + random.choice(_VOWELS) + random.choice(_CODAS)
                for _ in range(random.choice((1, 1, 2, 2, 2, 2, 3)))
            ]
            word = "".join(parts)
            if accents and random.random() < 0.06:
                word = word.translate(_ACCENTS)
            ours = _is_held_out(word) == (self.split == "heldout")
            if len(word) > 2 and ours and word not in _taken():
                return word


class TrainingWords(Words):
    """Words for training: beside those of the lists and the invented ones, those of a dictionary.

    Of short lists a model learns the entries, and not to copy what it has never seen.
    """

    def draw(self, random: Random, name: str) -> str:
        if name in _COMPOSED and random.random() < 0.5:
            return composed(random, random.choice(_COMPOSED[name]), _held_out_words())
        return super().draw(random, name)

    def sample(self, random: Random, name: str, count: int) -> list[str]:
        """Here an entry can come twice."""
        return [self.draw(random, name) for _ in range(count)]

    def word(self, random: Random, name: str) -> str:
        return random.choice(self.draw(random, name).split())

    def invented(self, random: Random, *, accents: bool = False) -> str:
        if random.random() < 0.35:
            return composed(random, "n", _held_out_words())
        return super().invented(random, accents=accents)


@cache
def _content() -> dict[str, dict[str, str]]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


@cache
def words(split: Split) -> Words:
    """The words of `split`."""
    content = _content()
    chosen = {name: _entries(name, text) for name, text in content[split].items()}
    enums = tuple(_enum(entry) for entry in " ".join(content[split]["enums"].split()).split("|"))
    if split == "train":
        more = tomllib.loads(_MORE.read_text(encoding="utf-8"))
        chosen |= {name: _entries(name, text) for name, text in more.items()}
    else:
        for name in _SHARED:
            chosen[name] = chosen.get(name, ()) + _entries(name, content["train"][name])
    made = TrainingWords if split == "train" else Words
    return made(split, chosen, enums)


@cache
def _taken() -> frozenset[str]:
    """Every written word: an invented word is none of them."""
    return frozenset(_FILE.read_text(encoding="utf-8").lower().replace(",", " ").split())


@cache
def _held_out_words() -> frozenset[str]:
    """The words of a dictionary that training must not have."""
    written = re.split(r"[\s,|:_]+", " ".join(_content()["heldout"].values()).lower())
    drawn = (word for letter in "nav" for word in dictionary(letter))
    return frozenset(written) | frozenset(filter(_is_held_out, drawn))


def _is_held_out(word: str) -> bool:
    """Whether a word that stands in no list is one of the evaluation's."""
    return zlib.crc32(word.encode()) % 16 == 0


def _entries(name: str, text: str) -> tuple[str, ...]:
    if name in _LISTS:
        return tuple(" ".join(entry.split()) for entry in text.split(",") if entry.strip())
    return tuple(text.split())


def _enum(entry: str) -> tuple[str, tuple[str, ...]]:
    name, values = entry.split(":")
    return name.strip(), tuple(values.split())

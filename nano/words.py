"""The words that conversations are made of, split into those for training and those held out."""

import tomllib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Literal

Split = Literal["train", "heldout"]

_FILE = Path(__file__).parent / "words.toml"
_LISTS = ("cities", "items", "topics", "songs", "titles", "texts")
# Lists whose words also stand in training: a held-out function has a noun that does not. What an
# unknown verb means could not be told from a request, so verbs are the same.
_SHARED = ("qualifiers", "read_verbs", "make_verbs", "drop_verbs", "edit_verbs", "sum_verbs")
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

    def __getitem__(self, name: str) -> Sequence[str]:
        return self.lists[name]

    def draw(self, random: Random, name: str) -> str:
        """One entry of the list `name`."""
        return random.choice(self.lists[name])

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
            held_out = zlib.crc32(word.encode()) % 16 == 0
            if len(word) > 2 and held_out == (self.split == "heldout") and word not in _taken():
                return word


@cache
def words(split: Split) -> Words:
    """The words of `split`."""
    content = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    chosen = {name: _entries(name, text) for name, text in content[split].items()}
    enums = tuple(_enum(entry) for entry in " ".join(content[split]["enums"].split()).split("|"))
    if split == "heldout":
        for name in _SHARED:
            chosen[name] = chosen.get(name, ()) + _entries(name, content["train"][name])
    return Words(split, chosen, enums)


@cache
def _taken() -> frozenset[str]:
    """Every written word: an invented word is none of them."""
    return frozenset(_FILE.read_text(encoding="utf-8").lower().replace(",", " ").split())


def _entries(name: str, text: str) -> tuple[str, ...]:
    if name in _LISTS:
        return tuple(" ".join(entry.split()) for entry in text.split(",") if entry.strip())
    return tuple(text.split())


def _enum(entry: str) -> tuple[str, tuple[str, ...]]:
    name, values = entry.split(":")
    return name.strip(), tuple(values.split())

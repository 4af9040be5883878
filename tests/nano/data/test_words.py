"""Training draws from more words than a small model can learn by heart, none of them held out."""

import re
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from nano.data.lexicon import composed, dictionary
from nano.data.words import words

LISTS = ("facts", "things", "details", "items", "titles", "texts", "cities", "first_names")


def parts(entry: str) -> set[str]:
    return set(re.split("[ _]", entry.lower()))


def test_lists_go_on_in_a_dictionary() -> None:
    random = Random(1)
    drawn = {words("train").draw(random, "things") for _ in range(5000)}
    assert len(drawn) > 10 * len(words("train")["things"])


@given(st.integers(), st.sampled_from(LISTS))
def test_no_held_out_word_is_drawn_for_training(seed: int, name: str) -> None:
    held_out = {part for entry in words("heldout")[name] for part in parts(entry)}
    written = {part for entry in words("train")[name] for part in parts(entry)}
    random = Random(seed)
    entry = words("train").draw(random, name) + " " + words("train").word(random, name)
    assert not (parts(entry) & held_out) - written


@given(st.integers())
def test_an_invented_word_is_of_one_split(seed: int) -> None:
    random = Random(seed)
    invented = {words("heldout").invented(random) for _ in range(20)}
    trained = {words("train").invented(random) for _ in range(20)}
    assert not invented & trained


@given(st.integers())
def test_patterns_stand_for_words(seed: int) -> None:
    adjective, noun, name = composed(Random(seed), "a n_N", frozenset()).replace("_", " ").split()
    assert adjective in dictionary("a")
    assert noun in dictionary("n")
    assert name[0].isupper()
    assert name.lower() in dictionary("n")


def test_words_that_are_left_out_are_not_drawn() -> None:
    one, *others = dictionary("n")
    assert composed(Random(0), "n", frozenset(others)) == one

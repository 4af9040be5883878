"""Functions that people try first are asked for in words of their own, in training alone."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from nano.data import requests
from nano.data.conversations import confused, offered
from nano.data.everyday import everyday
from nano.data.functions import function
from nano.data.words import words

WORDS = words("train")
seeds = st.integers(0, 2**32)


@given(seeds)
def test_a_request_says_all_its_values(seed: int) -> None:
    random = Random(seed)
    chosen = everyday(random, WORDS)
    said = requests.mentions(random, chosen)
    clause = requests.clause(random, WORDS, chosen, [said])
    assert all(mention.text in clause for mention in said.values())
    assert "{" not in clause


@given(seeds)
def test_a_request_without_a_value_says_all_others(seed: int) -> None:
    random = Random(seed)
    chosen = everyday(random, WORDS)
    said = requests.mentions(random, chosen)
    for lacking in chosen.required:
        given = {name: mention for name, mention in said.items() if name != lacking.name}
        clause = requests.clause(random, WORDS, chosen, [given])
        assert all(mention.text in clause for mention in given.values())
        assert "{" not in clause


@given(seeds)
def test_two_values_are_joined_in_the_wording_of_one(seed: int) -> None:
    random = Random(seed)
    while len((chosen := everyday(random, WORDS)).parameters) != 1:
        pass
    first, second = ({p.name: p.mention(random) for p in chosen.parameters} for _ in range(2))
    clause = requests.clause(random, WORDS, chosen, [first, second])
    (one,), (other,) = (tuple(said.values()) for said in (first, second))
    before, _, behind = clause.rpartition(" and ")
    assert one.text in before
    assert other.text in behind


@given(seeds)
def test_no_other_function_on_offer_is_meant_by_its_requests(seed: int) -> None:
    functions = offered(Random(seed), WORDS, 6)
    for chosen in functions:
        for other in functions:
            assert other is chosen or not chosen.about & other.about
            assert other is chosen or other.noun not in chosen.about


def test_a_composed_function_of_the_same_words_is_confused_with_it() -> None:
    random = Random(1)
    while (weather := everyday(random, WORDS)).noun != "weather":
        pass
    assert confused(weather, function(random, WORDS, "read", "weather"))
    assert confused(function(random, WORDS, "read", "wind"), weather)
    assert not confused(weather, function(random, WORDS, "read", "concert"))


def test_the_evaluation_has_none() -> None:
    drawn = offered(Random(1), words("heldout"), 8)
    assert not any(chosen.about or chosen.requests for chosen in drawn)

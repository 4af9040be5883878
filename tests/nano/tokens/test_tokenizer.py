"""The tokenizer of the shipped model."""

import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functionary_sgl.tokenizer import Tokenizer
from nano.data.kinds import KINDS
from nano.data.words import words
from nano.training.export import OUTPUT

TOKENIZER = Tokenizer.from_file(OUTPUT / "tokenizer.json")


@given(st.text())
def test_any_text_comes_back(text: str) -> None:
    assert TOKENIZER.decode(TOKENIZER.encode(text)) == text


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.type == "string"])
def test_a_value_has_the_same_tokens_everywhere(kind: object) -> None:
    """In a request, in quotes and in JSON."""
    random = Random("values")
    for _ in range(100):
        value, said = kind.draw(random, words("heldout"))  # type: ignore[attr-defined]
        ids = TOKENIZER.encode(value)
        for around in (json.dumps({"a": value, "b": 1}, ensure_ascii=False), f'Say "{said}".'):
            assert _occurs(ids, TOKENIZER.encode(around)), around
        if not value[0].islower():  # small words stick to the spaces around them
            assert _occurs(ids, TOKENIZER.encode(f"Is it {said} today?"))


def _occurs(part: list[int], ids: list[int]) -> bool:
    return any(ids[place : place + len(part)] == part for place in range(len(ids)))


def test_transformers_reads_it_alike() -> None:
    from transformers import PreTrainedTokenizerFast

    theirs = PreTrainedTokenizerFast(tokenizer_file=str(OUTPUT / "tokenizer.json"))
    for text in ("What is the weather for Istanbul?", '{"location": "Łódź"}', " = (_: {\n// x"):
        assert theirs.encode(text, add_special_tokens=False) == TOKENIZER.encode(text)
        assert theirs.decode(TOKENIZER.encode(text)) == text

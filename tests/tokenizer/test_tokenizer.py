import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from functionary_sgl.errors import UsageError
from functionary_sgl.prompt import checkpoint
from functionary_sgl.tokenizer import Tokenizer
from tests.conftest import TINY

TOKENIZER = checkpoint.load(str(TINY)).tokenizer


@given(st.text())
@example("no character: \ufffd")
@example("\ufffd\ufffd")
def test_a_stream_gives_the_text_that_was_encoded(text: str) -> None:
    stream = TOKENIZER.stream()
    told = "".join(stream.step(token_id) for token_id in TOKENIZER.encode(text))
    assert told + stream.close() == text


def test_what_is_incomplete_at_the_end_gives_no_text() -> None:
    stream = TOKENIZER.stream()
    told = "".join(stream.step(token_id) for token_id in TOKENIZER.encode("a\U0001f642")[:-1])
    assert told + stream.close() == "a"


def test_plain_text_has_no_control_tokens(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("a<|eot_id|>")
    assert tokenizer.control_ids["<|eot_id|>"] not in ids
    assert tokenizer.decode(ids) == "a<|eot_id|>"


def test_text_of_a_template_has(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode_marked("a<|eot_id|>")[-1] == tokenizer.control_ids["<|eot_id|>"]


def test_the_tokenizer_says_what_comes_before_a_prompt(tokenizer: Tokenizer) -> None:
    assert tokenizer.bos_ids == (tokenizer.control_ids["<|begin_of_text|>"],)


@pytest.mark.parametrize("definition", ["", "{}", "[]", '{"model": {"type": "none"}}'])
def test_what_is_no_tokenizer_is_named_so(definition: str) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        Tokenizer(definition)


def test_the_highest_id_is_that_of_any_token(tokenizer: Tokenizer) -> None:
    assert tokenizer.most_id == tokenizer.size - 1
    definition = json.loads(tokenizer.definition)
    definition["added_tokens"][-1]["id"] = 1_000_000
    assert Tokenizer(json.dumps(definition)).most_id == 1_000_000


def test_an_id_before_every_prompt_counts(tokenizer: Tokenizer) -> None:
    definition = json.loads(tokenizer.definition)
    tokens = definition["post_processor"]["special_tokens"]
    tokens["<|begin_of_text|>"]["ids"] = [2_000_000]
    assert Tokenizer(json.dumps(definition)).most_id == 2_000_000


def test_ids_may_leave_out_numbers() -> None:
    """Then some are greater than the tokenizer has tokens, and are ids all the same."""
    definition = json.loads(TOKENIZER.definition)
    vocabulary = definition["model"]["vocab"]
    vocabulary["a"] = TOKENIZER.size + 100
    late = Tokenizer(json.dumps(definition))
    (given,) = late.encode("a")
    assert given == TOKENIZER.size + 100 == late.most_id
    assert late.spells([given], "a")

"""Drafts are what the grammar forces, and what the prompt says."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llguidance import LLMatcher, LLTokenizer

from functionary_sgl.engines.sglang.scheduler.drafts.proposals import NO_DRAFT, draft
from functionary_sgl.grammars import grammar_text
from functionary_sgl.schemas import enforceable

TOKENIZER = LLTokenizer("byte")
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "unit": {"enum": ["celsius", "kelvin"]}},
    "required": ["city", "unit"],
}
LARK = LLMatcher.grammar_from_lark(grammar_text(enforceable(SCHEMA).enforced))
ANSWER = '{"city": "Reykjavik", "unit": "celsius"}'


def request(said: str, prompt: str = "", **fields: Any) -> Any:
    """One of SGLang's, with a token for each byte, that has `said` this much of an answer."""
    matcher = LLMatcher(TOKENIZER, LARK)
    assert matcher.consume_tokens(list(said.encode()))
    params = {"frequency_penalty": 0, "presence_penalty": 0, "repetition_penalty": 1}
    params |= {"min_new_tokens": 0, "max_new_tokens": 500} | fields
    grammar = SimpleNamespace(ll_matcher=matcher, llguidance_tokenizer=TOKENIZER, finished=False)
    return SimpleNamespace(
        grammar=grammar,
        sampling_params=SimpleNamespace(**params),
        origin_input_ids=list(prompt.encode()),
        output_ids=list(said.encode()),
    )


def text(ids: Any) -> str:
    return bytes(ids).decode()


def test_what_is_forced_is_proposed() -> None:
    found = draft(request(""), 15)
    assert text(found.ids[: found.forced]).startswith('{"city": ')
    found = draft(request('{"city": "Oslo"'), 15)
    assert text(found.ids) == ', "unit": "'


def test_what_followed_in_the_prompt_is_proposed() -> None:
    prompt = "Is it raining in Reykjavik or in Oslo?"
    assert text(draft(request('{"city": "Reyk', prompt), 6).ids) == "javik "
    assert not draft(request('{"city": "Xyz', prompt), 6).ids
    # The grammar ends what it does not allow.
    assert text(draft(request('{"city": "O', "kelvin\nOslo\nor"), 15).ids) == "slo"


def test_what_is_forced_comes_before() -> None:
    found = draft(request('{"city": "Oslo"', '", "unit": "kelvin'), 15)
    assert text(found.ids) == ', "unit": "kelv'
    assert 10 <= found.forced <= 11


@pytest.mark.parametrize(
    "field",
    [
        {"frequency_penalty": 0.1},
        {"presence_penalty": -1},
        {"repetition_penalty": 1.1},
        {"min_new_tokens": 3},
        {"max_new_tokens": 1},
    ],
)
def test_some_requests_have_none(field: dict[str, float]) -> None:
    assert draft(request("", **field), 15) == NO_DRAFT


def test_text_has_none() -> None:
    asked = request("", "Hello")
    asked.grammar = None
    assert draft(asked, 15) == NO_DRAFT


@given(st.integers(0, len(ANSWER)), st.integers(1, 20), st.text(max_size=30))
def test_the_grammar_takes_all_of_it_and_forces_its_beginning(
    said: int, most: int, prompt: str
) -> None:
    asked = request(ANSWER[:said], prompt + ANSWER)
    ids, forced = draft(asked, most)
    assert forced <= len(ids) <= most
    matcher = asked.grammar.ll_matcher
    for place, token_id in enumerate(ids):
        mask = matcher.compute_bitmask()
        allowed = [byte for byte in range(256) if mask[byte // 8] >> byte % 8 & 1]
        assert allowed == [token_id] if place < forced else token_id in allowed
        assert matcher.consume_token(token_id)

"""Drafts are what the grammar forces, what the prompt says, and the end behind a call."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llguidance import LLMatcher, LLTokenizer

from functionary_sgl.engines.sglang.scheduler.drafts.proposals import NO_DRAFT, Draft, drafts
from functionary_sgl.grammars import grammar_text
from functionary_sgl.schemas import enforceable

TOKENIZER = LLTokenizer("byte")
END = 257
"""One of its ids that are no bytes."""
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "unit": {"enum": ["celsius", "kelvin"]}},
    "required": ["city", "unit"],
}
LARK = LLMatcher.grammar_from_lark(grammar_text(enforceable(SCHEMA).enforced))
ANSWER = '{"city": "Reykjavik", "unit": "celsius"}'


CALLS = LLMatcher.grammar_from_lark(
    f"""
start: CALL (<[{END}]> | ">" start)
CALL: /\\{{"city": "[a-z]+"\\}}/
"""
)


def request(said: str, prompt: str = "", grammar: str = LARK, **fields: Any) -> Any:
    """One of SGLang's, with a token for each byte, that has `said` this much of an answer."""
    matcher = LLMatcher(TOKENIZER, grammar)
    assert matcher.consume_tokens(list(said.encode()))
    params = {"frequency_penalty": 0, "presence_penalty": 0, "repetition_penalty": 1}
    params |= {"min_new_tokens": 0, "max_new_tokens": 500, "stop_token_ids": None} | fields
    return SimpleNamespace(
        grammar=SimpleNamespace(ll_matcher=matcher, llguidance_tokenizer=TOKENIZER, finished=False),
        sampling_params=SimpleNamespace(**params),
        origin_input_ids=list(prompt.encode()),
        output_ids=list(said.encode()),
        eos_token_ids={END},
    )


def draft(request: Any, most: int) -> Draft:
    (found,) = drafts([request], most)
    return found


def text(ids: Any) -> str:
    said: str = TOKENIZER.decode_str(list(ids))
    return said


def test_what_is_forced_is_proposed() -> None:
    found = draft(request(""), 15)
    assert text(found.ids[: found.forced]).startswith('{"city": ')
    found = draft(request('{"city": "Oslo"'), 15)
    assert text(found.ids) == ', "unit": "'


def test_a_word_of_the_prompt_is_proposed_and_what_is_forced_behind_it() -> None:
    prompt = "Is it raining in Reykjavik or in New York City, in Oslo?"
    assert text(draft(request('{"city": "Reyk', prompt), 6).ids) == 'javik"'
    assert text(draft(request('{"city": "Reyk', prompt), 99).ids) == 'javik", "unit": "'
    assert text(draft(request('{"city": "N', prompt), 13).ids) == 'ew York City"'
    assert text(draft(request('{"city": "O', prompt), 4).ids) == 'slo"'
    assert not draft(request('{"city": "Xyz', prompt), 6).ids
    assert not draft(request('{"city": "or', prompt.replace("or", "forum")), 6).ids


@pytest.mark.parametrize("shown", [TOKENIZER.vocab_size, 2**40, -1])
def test_what_stands_for_an_image_is_no_word(shown: int) -> None:
    """SGLang puts numbers into the prompt that are ids of no tokenizer."""
    asked = request('{"city": "Reyk', "Is it raining in Reykjavik?")
    asked.origin_input_ids[:0] = [shown] * 5
    assert text(draft(asked, 6).ids) == 'javik"'


def test_a_value_of_a_list_is_found_where_the_grammar_allows_one() -> None:
    prompt = 'unit: "celsius" | "kelvin" // do not keep it'
    assert text(draft(request('{"city": "Oslo", "unit": "k', prompt), 6).ids) == 'elvin"'


@pytest.mark.parametrize("city", ["Llanfairpwllgwyngyll " * 9, '5\\" wide', "a\\\\"])
def test_so_is_one_behind_others_of_any_length(city: str) -> None:
    """Where a value ends that is longer than what is looked at, or has quotes of its own."""
    said = f'{{"city": "{city}", "unit": "k'
    assert text(draft(request(said, 'unit: "celsius" | "kelvin"'), 6).ids) == 'elvin"'


def test_what_is_said_meanwhile_is_seen() -> None:
    asked = request('{"city": "O', 'Oslo, "celsius" | "kelvin"')
    assert text(draft(asked, 4).ids) == 'slo"'
    for byte in b'slo", "unit": "k':
        asked.grammar.ll_matcher.consume_token(byte)
        asked.output_ids.append(byte)
    assert text(draft(asked, 6).ids) == 'elvin"'


def test_what_was_said_before_is_said_again() -> None:
    earlier = '{"city": "Oslo", "unit": "kelvin"} and then '
    found = draft(request('{"city": "Rome", "unit": "', earlier), 6)
    assert text(found.ids) == "kelvin"


def test_behind_a_call_comes_the_end() -> None:
    found = draft(request('{"city": "o', "oslo", CALLS), 9)
    assert found.ids == [*b'slo"}', END]


def test_what_is_less_likely_is_proposed_to_fewer_requests() -> None:
    asked = request('{"city": "Reyk', "Reykjavik")
    assert len(drafts([asked], 99)[0].ids) > 6
    assert not drafts([asked] * 400, 99)[0].ids
    assert drafts([request("")] * 400, 99)[0].ids


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

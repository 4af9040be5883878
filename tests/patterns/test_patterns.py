"""Patterns mean to the grammar engine what they mean in ECMA-262 (seen with Node's `RegExp`)."""

import json

import pytest
from llguidance import LLMatcher, LLTokenizer

from functionary_sgl.engines.base import Constraint
from functionary_sgl.engines.grammar import grammar
from functionary_sgl.patterns import other_than, translated


def takes(pattern: str | None, text: str) -> bool:
    source = json.dumps({"type": "string", "pattern": pattern})
    matcher = LLMatcher(LLTokenizer("byte"), grammar(Constraint("json_schema", source)))
    written = json.dumps(text, ensure_ascii=False).encode()
    return bool(
        matcher.try_consume_tokens(list(written)) == len(written) and matcher.is_accepting()
    )


@pytest.mark.parametrize(
    ("pattern", "matched", "others"),
    [
        (r"^\S$", "a\u0085é", "\ufeff\u00a0 \u2028"),
        (r"^\s$", "\ufeff\u00a0 \n\u3000", "a\u0085"),
        (r"^[^\S]$", "\ufeff ", "a"),
        (r"^[\S\d]$", "a1", " \ufeff"),
        (r"^\w$", "a_9", "éſ"),
        (r"^[\W_]$", "_-é", "a"),
        (r"^\d$", "7", "٣"),
        (r"^\D$", "a٣", "7"),
        (r"^.$", "a\t🙂\u0085", "\n\r\u2028\u2029"),
        (r"^[[a]$", "[a", "b"),
        (r"^[a&&b]$", "a&b", "c"),
        (r"^[!--]$", "!-$", "a"),
        (r"^[a-\d]$", "a-1", "b"),
        (r"^[]|a$", "a", "b"),
        (r"^[^]$", "a\n", ""),
        (r"^\<$", "<", ">"),
        (r"^{$", "{", "}"),
        (r"^\ud83d\ude00$", "😀", "a"),
        (r"^\u{e9}$", "é", "e"),
        ("^[^\0a]$", "b", "\0a"),
        (r"^\0$", "\0", "0"),
        (r"^[\b\cJ]$", "\b\n", "bJ"),
        (r"^\p{L}$", "aé", "1"),
        (r"(?s)^.$", "a\n\u2028", ""),
        (r"(?i)^a$", "aA", "b"),
        (r"^(?<letter>a)$", "a", "b"),
        (r"\Aa\Z", "a", "b"),
    ],
)
def test_a_pattern_means_what_it_means_in_javascript(
    pattern: str, matched: str, others: str
) -> None:
    expression = translated(pattern)
    assert expression is not None
    assert all(takes(expression, text) for text in matched)
    assert not any(takes(expression, text) for text in others)


@pytest.mark.parametrize(
    "pattern",
    [
        *(r"(?=a)a", r"(?<!a)b", r"\bfoo", r"(a)\1", r"\k<n>", "a++", "a**", "a{1}{2}", "a{,3}"),
        *("[[:alpha:]]", r"\G", r"\ud800", "[z-a]", "[a", "\\", r"\pL", "(?m)^a", r"\x1"),
    ],
)
def test_what_has_no_equal_or_several_meanings_is_left_out(pattern: str) -> None:
    assert translated(pattern) is None


def test_all_texts_but_some() -> None:
    expression = other_than(["", "a", "ab", "b\0", "é"])
    assert not any(takes(expression, text) for text in ("", "a", "ab", "b\0", "é"))
    assert all(takes(expression, text) for text in ("b", "abc", "aa", "é ", "\n", "b\0\0"))
    assert other_than(["a" * 1_000]) is None

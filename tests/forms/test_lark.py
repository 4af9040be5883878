"""The JSON version of a grammar takes the usual JSON spelling of its texts, and nothing else."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llguidance import LLMatcher, LLTokenizer

from functionary_sgl.forms.lark import lark, quoted

BYTEWISE = LLTokenizer("byte")

GRAMMARS = [
    'start: "a\\n" | "\\"b\\"" | "\\\\" | "é/" | "x"i',
    "start: /[^a]*/",
    # In one grammar the two would be read otherwise: llguidance's lexer takes the longest token.
    "start: /./ /(?:a|\\n)+b?/",
    "start: /a.c/s",
    'start: A (SP A)* "\\n"\nA: /[\\w"]{1,3}/ // words\nSP: /[ \\t\\\\]/+',
    'start: list\nlist: "[" [item ("," item)*] "]"\nitem: list | /"[^"\\\\]*"/ | "a".."c"',
    "start: /\\x41|\\u0042|\\S\\s|\\d\\D/",
    "start: /[]a-c\\/-]+|\\p{L}[\\]\\\\]/",
    "%llguidance {}\n\nstart: TEXT\nTEXT: /(?P<it>[\\x00-\\x20]|[~-\\u2028])+/",
    'root ::= "a" [0-9"\\n]+ tail?\ntail ::= "(" root ")"',
]
texts = st.text(st.sampled_from('abcABx"\\\n\t /é~[],()1]\x01\x1f\x7f\u2028'), max_size=6)


def takes(grammar: str, text: str) -> bool:
    matcher = LLMatcher(BYTEWISE, LLMatcher.grammar_from_lark(grammar), log_level=0)
    assert not matcher.is_error(), matcher.get_error()
    ids = list(text.encode())
    return bool(matcher.try_consume_tokens(ids) == len(ids) and matcher.is_accepting())


@pytest.mark.parametrize("source", GRAMMARS)
@settings(max_examples=60)
@given(texts)
def test_the_two_describe_the_same(source: str, text: str) -> None:
    grammar = lark(source)
    inside = quoted(grammar)
    spelling = f" {json.dumps(text, ensure_ascii=False)}"
    assert takes(inside, spelling) == takes(grammar, text)
    assert not takes(inside, f' "{text}') or takes(grammar, json.loads(f'"{text}'))


@pytest.mark.parametrize("source", GRAMMARS)
def test_nothing_but_json_comes_out(source: str) -> None:
    matcher = LLMatcher(BYTEWISE, LLMatcher.grammar_from_lark(quoted(lark(source))), log_level=0)
    written = bytearray()
    while not matcher.is_stopped() and len(written) < 40:
        mask = matcher.compute_bitmask()
        allowed = [byte for byte in range(256) if mask[byte // 8] >> byte % 8 & 1]
        # Whatever closes something, else the strangest.
        byte = ord('"') if ord('"') in allowed and len(written) > 3 else allowed[0]
        written.append(byte)
        matcher.consume_token(byte)
        assert byte >= 0x20


@pytest.mark.parametrize(
    "source",
    [
        "start: /a/ %json {}",
        "%import common.ESCAPED_STRING\nstart: ESCAPED_STRING",
        'start: "a"\n%ignore / +/',
        "start: /a\\b/",
        "start: /a/i",
        "start: /(?i)a/",
        "start: /[a&&[^b]]/",
        "start: /\\P{L}/",
        'start: "ab".."c"',
    ],
)
def test_what_has_no_such_version_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        quoted(lark(source))


@pytest.mark.parametrize("source", ["start: <|end|>", "start: <[1]>", "root ::= (", "", "a: b"])
def test_what_is_no_grammar_of_texts_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        lark(source)

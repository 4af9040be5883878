"""Every spelling that JSON has for a string is taken, wherever its value is."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.grammars.walks import grammar, spellings, takes, walk

STRING = grammar({"type": "string"})
LENGTHS = grammar({"type": "string", "minLength": 2, "maxLength": 3})
MAP = grammar({"type": "object", "additionalProperties": {"type": "string"}})
ANY = grammar({})
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
DICE = st.randoms(use_true_random=False)


@given(TEXTS, DICE)
def test_values_and_free_keys_are_taken_in_every_spelling(text: str, dice: random.Random) -> None:
    for spelled in spellings(text, dice):
        assert takes(STRING, spelled)
        assert takes(ANY, f"[{spelled}]")
        assert takes(MAP, f"{{{spelled}: {spelled}}}")


@given(TEXTS, DICE)
def test_lengths_count_characters_not_escapes(text: str, dice: random.Random) -> None:
    for spelled in spellings(text, dice):
        assert takes(LENGTHS, spelled) is (2 <= len(text) <= 3), spelled


VALUES = ["café", "a/b", 'say "hi"', "back\\slash", "new\nline", "😀", "plain", "", "<b>&'"]


@given(st.sampled_from(VALUES), DICE)
def test_values_that_are_listed_are_taken_in_every_spelling(
    value: str, dice: random.Random
) -> None:
    enum, const = grammar({"enum": VALUES}), grammar({"const": {"k": [value]}})
    for spelled in spellings(value, dice):
        assert takes(enum, spelled)
        assert takes(const, f'{{"k": [{spelled}]}}')
    assert not takes(enum, '"caf\\u00ea"')


def test_of_many_values_what_writers_escape_is_taken_in_every_spelling() -> None:
    many = grammar({"enum": [f"Straße {i} / ⅔" for i in range(300)]})
    assert takes(many, '"Stra\\u00dfe 7 \\/ \\u2154"')
    assert not takes(many, '"\\u0053tra\\u00dfe 7 / ⅔"')


def test_names_that_are_listed_are_taken_as_writers_of_json_spell_them() -> None:
    listed = grammar({"type": "object", "properties": {"größe": {}, "a/b": {}, "plain": {}}})
    assert takes(listed, '{"gr\\u00f6\\u00dfe": 1, "a\\/b": 2, "plain": 3}')
    assert takes(listed, '{"größe": 1, "a/b": 2}')
    assert not takes(listed, '{"pl\\u0061in": 3}')


def test_no_spelling_of_a_listed_name_is_a_free_one() -> None:
    schema = {"properties": {"n": {"type": "integer"}}, "additionalProperties": {"type": "string"}}
    free = grammar({"type": "object", **schema})
    assert takes(free, '{"n": 1, "\\u006d": "x"}')
    assert not takes(free, '{"\\u006e": "x"}')


@pytest.mark.parametrize(
    "half", ["\\ud83d", "\\ude00", "\\ud83dx", "\\ud83d\\u0041", "\\uD83D\\uD83D"]
)
def test_half_a_surrogate_pair_is_never_written(half: str) -> None:
    assert not takes(STRING, f'"{half}"')
    assert not takes(MAP, f'{{"{half}": ""}}')
    assert not takes(grammar({"type": "string", "pattern": "."}), f'"{half}"')


PATTERNS: list[tuple[str, list[str], list[str]]] = [
    ("^caf.$", ["café", "caf😀", "caf/"], ["caf\n", "caf", "xcafé"]),
    ("^https?://", ["https://é.org/"], ["ftp://x"]),
    ("^[^/]+$", ["é\n"], ["a/b", ""]),
    ("\\d{2}|\\s$", ["a12b", "x\u00a0", "\ufeff"], ["1a2"]),
    ("^\\S+$", ["zoë"], ["\ufeff", "a b"]),
    ("^[à-ý😀-😂_-]*$", ["é😁-"], ["z", "😃"]),
    ("^(?:\\u00e9|\\ud83d\\ude00|\\x41|\\cJ|\\0)$", ["é", "😀", "A", "\n", "\0"], ["B"]),
    ("(^|,)x($|,)", ["x", "y,x", "x,y"], ["xx", "1x"]),
    ('^["\\\\\\]]{2}?$', ['"\\', "]]"], ["]"]),
    ("^a{2,}b*?$", ["aa", "aaab"], ["a"]),
    ("^$", [""], [" "]),
    ("^\\p{L}[\\p{N}_-]+$", ["é٣", "𝒳_-"], ["1a", "é"]),
    ("^\\P{Lu}[^\\p{Script=Greek}]$", ["aé", "/\n"], ["Aé", "aω"]),
    ("(?i)^straße[k-l]$", ["STRAßEK", "straẞe\u212a"], ["strasse"]),
    ("(?s)^.$", ["\n", "\u2028"], ["", "aa"]),
    ("^a(?i:b)c$", ["abc", "aBc"], ["Abc", "abC"]),
    ("a*^b|c$d?", ["bx", "xc"], ["ab", "cd"]),
    ("\\Aa\\Z", ["a"], ["aa"]),
    ("^[a&&b-]{2}$", ["&-", "ab"], ["cc"]),
]


@pytest.mark.parametrize(("pattern", "valid", "invalid"), PATTERNS, ids=[p[0] for p in PATTERNS])
def test_patterns_see_the_value_behind_its_spelling(
    pattern: str, valid: list[str], invalid: list[str]
) -> None:
    matcher = grammar({"type": "string", "pattern": pattern})
    dice = random.Random(0)
    for text, matches in [(t, True) for t in valid] + [(t, False) for t in invalid]:
        for spelled in spellings(text, dice):
            assert takes(matcher, spelled) is matches, spelled
    assert json.loads(walk(matcher, dice))


def test_of_an_expression_that_would_be_large_characters_are_taken_as_themselves() -> None:
    matcher = grammar({"type": "string", "pattern": f"^{'[^.]'.join([chr(92) + 'p{L}*'] * 9)}$"})
    assert takes(matcher, '"é/é\\/é/é/é/é/é/é"')
    ids = list(b'{"v": "a\\u')
    assert matcher.deep_copy().try_consume_tokens(ids) < len(ids)


def test_keys_by_patterns_satisfy_all_that_apply_to_them() -> None:
    patterns = {"^é": {"type": "integer"}, "x$": {"minimum": 5}}
    schema = {"type": "object", "patternProperties": patterns, "additionalProperties": False}
    matcher = grammar(schema | {"properties": {"éa": {"maximum": 9}}})
    for text, valid in {
        '{"\\u00e9": 1}': True,
        '{"\\u00e9": 1.5}': False,
        '{"éx": 5, "x": 5.5}': True,
        '{"éx": 4}': False,
        '{"éa": 9, "é": 10}': True,
        '{"éa": 10}': False,
        '{"b": 1}': False,
    }.items():
        assert takes(matcher, text) is valid, text

"""A text that is too long is told so before much time goes into it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functionary_sgl.prompt import checkpoint
from functionary_sgl.tokenizer import Tokenizer, tokenizer
from tests.conftest import TINY

TOKENIZERS = [checkpoint.load(str(path)).tokenizer for path in (checkpoint.EMBEDDED, TINY)]
TEXTS = st.text(st.sampled_from("ab \n  the.,é漢🙂<|>"), max_size=400)


@given(TEXTS, st.sampled_from(TOKENIZERS), st.integers(0, 60), st.sampled_from([7, 50, 10**6]))
def test_only_what_is_too_long_is_refused(
    text: str, tokenizer_: Tokenizer, more: int, part: int
) -> None:
    """Wherever it is cut; what has as many ids as are allowed is never refused."""
    ids = tokenizer_.encode(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokenizer, "_PART_CHARACTERS", part)
        assert tokenizer_.encode(text, most=len(ids) + more) == ids
        assert len(text) <= tokenizer_.most_characters(len(ids))


@pytest.mark.parametrize("known", TOKENIZERS)
@pytest.mark.parametrize("text", ["a", "the ", " ", "\n", "漢", "aé🙂", "<|eot_id|>"])
def test_what_is_far_too_long_is_not_tokenized(
    known: Tokenizer, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither as a whole nor more than the first of its parts: of twice what is allowed, half."""
    monkeypatch.setattr(tokenizer, "_PART_CHARACTERS", 4_000)
    monkeypatch.setattr(tokenizer, "_SPARE_IDS", 2)
    seen: list[int] = []
    plain = known._plain

    class Counting:
        def encode_batch_fast(self, texts: list[str], **options: bool) -> Any:
            seen.append(len(texts[0]))
            return plain.encode_batch_fast(texts, **options)

    many = text * (200_000 // len(text))
    most = len(known.encode(many)) // 2
    monkeypatch.setattr(known, "_plain", Counting())
    with pytest.raises(OverflowError):
        known.encode(many, most=most)
    assert sum(seen) <= len(many) * 3 // 4
    assert (seen == []) is (len(many) > known.most_characters(most))
    # By its length alone.
    seen.clear()
    with pytest.raises(OverflowError):
        known.encode(many, most=len(many) // known.most_characters(1) - 1)
    assert seen == []


def test_control_tokens_are_found_wherever_a_long_text_is_searched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from functionary_sgl.tokenizer import control

    monkeypatch.setattr(control, "_SEARCHED", 3)
    known = control.ControlTokens(["<a>", "<a>b", "<|c|>"])
    for text in ("xx<a>yy", "<a>b<a>", "<|c|><|c|>", "xxx<|c|>", "<<a>b>", "", "<|c|"):
        pieces = list(known.split(text))
        assert "".join(piece for piece, _ in pieces) == text
        assert not any(control for _, control in known.split(known.mark(text)))
        assert known.unmark(known.mark(text)) == text
    assert list(known.split("x<a>b<a>")) == [("x", False), ("<a>b", True), ("<a>", True)]

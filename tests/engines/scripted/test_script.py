from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functionary_sgl.engines.scripted import Reply, Script
from functionary_sgl.errors import EngineError, UsageError


def test_the_first_reply_that_matches_is_given() -> None:
    replies = [Reply(match="Rome", turn="1"), Reply(match="R", turn="2"), Reply(match="", turn="3")]
    script = Script(replies=replies)
    assert [script.reply_to(text).turn for text in ("In Rome", "Rain", "")] == ["1", "2", "3"]


def test_a_message_without_a_reply_is_an_error() -> None:
    with pytest.raises(EngineError, match="No reply"):
        Script(replies=[Reply(match="Rome", turn="1")]).reply_to("Oslo")


@given(st.text(max_size=30), st.lists(st.integers(1, 6), min_size=1), st.integers(0, 10))
def test_cuts_lose_nothing(text: str, lengths: list[int], start: int) -> None:
    assert "".join(Reply(match="", turn="", chunk=lengths).cuts(start, text)) == text


def test_lengths_count_from_the_beginning_of_the_turn() -> None:
    reply = Reply(match="", turn="", chunk=[2, 3, 4])
    assert list(reply.cuts(0, "abcdefghijk")) == ["ab", "cde", "fghi", "jk"]
    assert list(reply.cuts(3, "defghijk")) == ["de", "fghi", "jk"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "at the top: Invalid JSON"),
        ("{}", "at replies: Field required"),
        ('{"replies": [{"match": "", "turn": "a", "chunk": 0}]}', "at replies.0.chunk"),
        ('{"replies": [{"match": "", "turn": "a", "chnk": 1}]}', "at replies.0.chnk"),
    ],
)
def test_what_is_no_script_is_named_so(tmp_path: Path, content: str, reason: str) -> None:
    file = tmp_path / "script.json"
    file.write_text(content)
    with pytest.raises(UsageError) as caught:
        Script.from_file(file)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_script_is_named_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        Script.from_file(tmp_path / "none.json")

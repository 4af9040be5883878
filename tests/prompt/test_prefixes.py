"""Invariant: a turn finds all that the engine has of the turns before it, whatever clients make of
what they were told."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from functionary_sgl.turns import FORMATS
from tests.formats import lasting, possible
from tests.loops import Client, Turn, ordered, spaced, unpacked
from tests.replay import cuts, thoughts
from tests.replay import turns as said
from tests.replayed_loops import FORGETS_REASONING, MOVES_TOOLS, carried, loop
from tests.runtime.test_stream_equals_answer import every_format

clients = st.builds(
    Client,
    arguments=st.sampled_from([str, spaced, ordered, unpacked]),
    reasons=st.booleans(),
    silence=st.sampled_from([None, ""]),
    parts=st.booleans(),
    fields=st.sampled_from([{}, {"n": 2}, {"model": "pirate"}, {"cache_salt": "mine"}]),
)
walks = st.lists(st.tuples(said, st.just("") | thoughts), min_size=2, max_size=6)


def is_shown_otherwise(format: str, client: Client, before: Sequence[Turn], turn: Turn) -> bool:
    """Whether the prompt of `turn` shows what was `before` it otherwise than it was."""
    reasoned = [bool(other.message.get("reasoning_content")) for other in before]
    called = any(other.message.get("tool_calls") for other in before)
    if reasoned[-1] and not client.reasons and not called:
        return True  # nothing tells that it is the client to whom it was told
    if not turn.step.question:
        return False
    if format == "gpt-oss":  # whose template takes text before a call for reasoning, too
        reasoned = [r or bool(o.message["content"]) for r, o in zip(reasoned, before, strict=True)]
    questions = [at for at, other in enumerate(before) if other.step.question]
    forgets = format in FORGETS_REASONING and any(reasoned[questions[-1] :])
    return forgets or format in MOVES_TOOLS


@every_format
@given(walks, clients, cuts, st.booleans())
def test_a_turn_finds_all_of_those_before(
    format: str, walk: Any, client: Client, cut: Any, stream: bool
) -> None:
    reasons = FORMATS[format].reasons
    parts = [(*possible(format, *turn), thought * reasons) for turn, thought in walk]
    assume(all(content or calls for content, calls, _ in parts))
    found, model = carried(format, parts, client, cut, stream=stream)
    for number, (turn, prompt) in enumerate(zip(found, model.prompts, strict=True)):
        if number and not is_shown_otherwise(format, client, found[:number], turn):
            before = lasting(format, model.ended[number - 1][-1])
            assert prompt[: len(before)] == before, number


@every_format
@pytest.mark.parametrize("reasons", [True, False])
def test_only_a_template_loses_a_prefix(format: str, reasons: bool) -> None:
    found, _ = carried(format, loop(format), Client(arguments=spaced, reasons=reasons))
    lost = [number for number, turn in enumerate(found) if turn.share < 0.99]
    assert [bool(turn.step.question) for turn in found].count(True) == 2
    assert lost == ([3] if format in FORGETS_REASONING | MOVES_TOOLS else [])

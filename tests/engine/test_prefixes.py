"""In a loop of turns the engine reads nothing twice, in any format and for any client."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from functionary_sgl.turns import FORMATS
from tests.engine.conftest import RunningEngine
from tests.engine.test_turn_grammars import NOTE, ONE_BY_ONE
from tests.loops import Client, Turn, ordered, posting, spaced, turns, unpacked
from tests.replayed_loops import MOVES_TOOLS

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {
                "location": {"type": "string", "maxLength": 12},
                "days": {"enum": [1.0, 2.5, 7]},
                "exact": {"type": "boolean"},
            },
            "required": ["location", "days"],
        },
    },
}
# Agents have long instructions. What a program writes behind a call, which the engine does not
# read before the next turn, is to be little against them.
SYSTEM = "You help travellers to find their way in Rome, Oslo, Lima, Cairo and Paris. " * 12
# A model that knows the format by its control tokens only would hardly end its thoughts.
FIELDS = {"max_tokens": 32, "temperature": 0, "reasoning_effort": "none"}

CLIENTS = {
    "as told": Client(),
    "respelled": Client(arguments=ordered, reasons=False, silence="", parts=True),
    "one by one": Client(arguments=spaced, fields=ONE_BY_ONE),
    "two choices": Client(arguments=unpacked, fields={"n": 2}),
    "a salt": Client(arguments=spaced, fields={"cache_salt": "mine"}),
}
CASES = [(format, "respelled", True) for format in FORMATS]
CASES += [(format, "as told", False) for format in ("v3.llama3", "v3-llama3.1", "v2.llama3", "r1")]
CASES += [("v3.llama3", name, True) for name in ("one by one", "two choices", "a salt")]


def loop(engine: RunningEngine, format: str, client: Client, *, stream: bool) -> list[Turn]:
    path = "" if format == "v3.llama3" else f"/as/{format}"
    post = posting(engine.http, path, stream=stream)
    fields = {"model": "functionary-nano", **FIELDS, **client.fields}
    return list(turns(post, replace(client, fields=fields), [WEATHER, NOTE], system=SYSTEM))


@pytest.fixture(scope="module")
def loops(engine: RunningEngine) -> dict[Any, list[Turn]]:
    """All at once, as agents are."""

    def carried(case: tuple[str, str, bool]) -> list[Turn]:
        format, name, stream = case
        return loop(engine, format, CLIENTS[name], stream=stream)

    with ThreadPoolExecutor(6) as pool:
        return dict(zip(CASES, pool.map(carried, CASES), strict=True))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}, {case[1]}")
def test_what_was_read_is_not_read_again(loops: Any, case: tuple[str, str, bool]) -> None:
    format, _, _ = case
    for before, turn in pairwise(loops[case]):
        # No template shows an answer that says nothing, such as of bytes that are no characters.
        said = before.message["content"] or before.message.get("tool_calls")
        if said and not (turn.step.question and format in MOVES_TOOLS):
            assert turn.share >= 0.99, (turn.cached, turn.known)


def test_some_turns_had_several_calls(loops: Any) -> None:
    counts = [
        len(turn.message.get("tool_calls") or ()) for found in loops.values() for turn in found
    ]
    assert max(counts) > 1


def test_an_adapter_reads_nothing_twice_either(adapted: RunningEngine) -> None:
    client = replace(CLIENTS["respelled"], fields={"model": "pirate"})
    assert all(turn.share >= 0.99 for turn in loop(adapted, "v3.llama3", client, stream=True))

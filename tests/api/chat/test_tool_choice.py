"""The table of docs/tool-choice.md, walked over HTTP: every choice, every switch, both modes."""

import itertools
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from functionary_sgl.turns import FORMATS
from tests import formats
from tests.formats import PerFormat, possible, written
from tests.paths import ROOT
from tests.tool_choice import NAMES, ROWS, allowed, ask, function

DOCUMENT = ROOT / "docs" / "tool-choice.md"
CALLS = [("later", '{"n": 1}'), ("now", "{}"), ("later", '{"n": 2}')]
TEXT = "Let me see."
THOUGHT = "Hm."


@pytest.fixture(scope="module")
def clients() -> Iterator[PerFormat[httpx.Client]]:
    """They play the turn of the row the user writes."""

    def replies(format: str) -> list[dict[str, Any]]:
        return [{"match": f"[{row}]", "turn": turn(format, row)} for row in ROWS]

    with formats.clients(replies) as started:
        yield started


def wanted(format: str, row: str) -> tuple[str | None, list[tuple[str, str]]]:
    """What the model of this test says: all that the row lets it."""
    _, text, names, _ = ROWS[row]
    return possible(format, TEXT if text else None, [c for c in CALLS if c[0] in names])


def reasons(format: str, row: str) -> bool:
    kind = FORMATS[format]
    return kind.reasons and (ROWS[row][1] or kind.reasons_if_forced)


def turn(format: str, row: str) -> str:
    return written(format, *wanted(format, row), THOUGHT if reasons(format, row) else "")


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("format", FORMATS)
def test_the_table(clients: PerFormat[httpx.Client], format: str, row: str) -> None:
    content, calls = wanted(format, row)
    _, _, _, finish = ROWS[row]
    switches = itertools.product([False, True], [True, False, None], [None, True])
    for stream, parallel, strict in switches:
        said, thought, reason = ask(
            clients[format], row, stream=stream, parallel=parallel, strict=strict
        )
        one = not parallel and (parallel is False or row == "a function")
        assert said == (content, calls[:1] if one else calls)
        assert thought == (THOUGHT if reasons(format, row) else None)
        assert reason == finish


def test_the_document_has_this_table() -> None:
    rows = re.findall(
        r"^\| `?(.+?)`? \| (.+?) \| (.+?) \| `(.+?)` \|$", DOCUMENT.read_text(), re.MULTILINE
    )
    told = {name: (text, calls, finish) for name, text, calls, finish in rows}
    told.pop("tool_choice", None)
    assert told.keys() == ROWS.keys()
    for name, (_, text, names, finish) in ROWS.items():
        assert told[name][0] == ("yes" if text else "no")
        assert told[name][2] == finish
        assert (told[name][1] == "no") == (not names)


@pytest.mark.parametrize(
    "choice",
    [
        {"type": "allowed_tools"},
        {"type": "allowed_tools", "allowed_tools": {"mode": "all", "tools": [function("now")]}},
        allowed("auto"),
        allowed("auto", "never"),
        {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": ["now"]}},
        {"type": "allowed_tools", "allowed_tools": 3},
    ],
)
def test_what_cannot_be_allowed_is_refused(clients: Any, choice: Any) -> None:
    tools = [function(name) for name in NAMES]
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}], "tools": tools}
    answer = clients["v3.llama3"].post("/v1/chat/completions", json={**body, "tool_choice": choice})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "tool_choice"


def test_allowed_tools_may_stand_beside_the_type(clients: Any) -> None:
    choice = {"type": "allowed_tools", "mode": "required", "tools": [function("later")]}
    tools = [function(name) for name in NAMES]
    messages = [{"role": "user", "content": "[a function]"}]
    body = {"model": "m", "messages": messages, "tools": tools, "tool_choice": choice}
    answer = clients["v3.llama3"].post("/v1/chat/completions", json=body).raise_for_status()
    calls = answer.json()["choices"][0]["message"]["tool_calls"]
    assert {call["function"]["name"] for call in calls} == {"later"}

"""The table of docs/tool-choice.md, walked over HTTP: every choice, every switch, both modes."""

import contextlib
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from functionary_sgl.turns import FORMATS
from tests.conftest import scripted_model, serving
from tests.formats import PROMPTERS, possible, written

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "tool-choice.md"
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}}
NAMES = ["now", "later"]
CALLS = [("later", '{"n": 1}'), ("now", "{}"), ("later", '{"n": 2}')]
TEXT = "Let me see."
THOUGHT = "Hm."


def function(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


def allowed(mode: str, *names: str) -> dict[str, Any]:
    tools = {"mode": mode, "tools": [function(name) for name in names]}
    return {"type": "allowed_tools", "allowed_tools": tools}


# The choice; whether the model may write text; which of its calls it may make; the finish reason.
ROWS: dict[str, tuple[Any, bool, list[str], str]] = {
    "(absent)": (None, True, NAMES, "tool_calls"),
    "auto": ("auto", True, NAMES, "tool_calls"),
    "none": ("none", True, [], "stop"),
    "required": ("required", False, NAMES, "tool_calls"),
    "a function": (function("later"), False, ["later"], "stop"),
    "allowed_tools, auto": (allowed("auto", "later"), True, ["later"], "tool_calls"),
    "allowed_tools, required": (allowed("required", "later"), False, ["later"], "tool_calls"),
}


@pytest.fixture(scope="module")
def clients() -> Iterator[dict[str, httpx.Client]]:
    """For each format a client of a server that plays the turn of the row the user writes."""
    with contextlib.ExitStack() as stack:
        started = {}
        for name, prompter in PROMPTERS.items():
            replies = [{"match": f"[{row}]", "turn": turn(name, row)} for row in ROWS]
            url = stack.enter_context(serving(scripted_model(prompter, *replies))).url
            started[name] = stack.enter_context(httpx.Client(base_url=url))
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


def ask(client: httpx.Client, row: str, stream: bool, parallel: bool, strict: Any) -> Any:
    """The message and finish reason, folded by hand if they are streamed."""
    tools = [
        {"type": "function", "function": {"name": name, "parameters": SCHEMA, "strict": strict}}
        for name in NAMES
    ]
    body = {"model": "m", "messages": [{"role": "user", "content": f"[{row}]"}], "tools": tools}
    body |= {"stream": stream, "parallel_tool_calls": parallel}
    body |= {} if ROWS[row][0] is None else {"tool_choice": ROWS[row][0]}
    answer = client.post("/v1/chat/completions", json=body).raise_for_status()
    return _streamed(answer.text) if stream else _whole(answer.json())


def _whole(completion: Any) -> Any:
    (choice,) = completion["choices"]
    message = choice["message"]
    calls = [call["function"] for call in message.get("tool_calls", ())]
    said = message["content"], [(call["name"], call["arguments"]) for call in calls]
    return said, message.get("reasoning_content"), choice["finish_reason"]


def _streamed(text: str) -> Any:
    content, thought, finish = "", "", None
    calls: list[tuple[str, str]] = []
    for event in re.findall(r"data: ({.*})", text):
        (choice,) = json.loads(event)["choices"]
        delta, finish = choice["delta"], choice["finish_reason"]
        content += delta.get("content") or ""
        thought += delta.get("reasoning_content") or ""
        for call in delta.get("tool_calls", ()):
            if "id" in call:
                calls.append((call["function"]["name"], ""))
            name, arguments = calls[call["index"]]
            calls[call["index"]] = name, arguments + call["function"]["arguments"]
    return (content or None, calls), thought or None, finish


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("format", FORMATS)
def test_the_table(clients: dict[str, httpx.Client], format: str, row: str) -> None:
    content, calls = wanted(format, row)
    _, _, _, finish = ROWS[row]
    for stream, parallel, strict in itertools.product([False, True], [True, False], [None, True]):
        said, thought, reason = ask(clients[format], row, stream, parallel, strict)
        assert said == (content, calls if parallel else calls[:1])
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

"""The table of docs/tool-choice.md, and how to ask for one of its rows in either mode."""

import json
import re
from typing import Any

import httpx

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}}
NAMES = ["now", "later"]


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


def ask(
    client: httpx.Client,
    row: str,
    *,
    stream: bool,
    parallel: bool | None,
    strict: bool | None,
    **more: Any,
) -> Any:
    """The answer as (content, calls), reasoning and finish reason, folded by hand if it is
    streamed; a call is its name and arguments. The user writes `[row]`, unless
    `more`, fields of the request, say otherwise."""
    tools = [
        {"type": "function", "function": {"name": name, "parameters": SCHEMA, "strict": strict}}
        for name in NAMES
    ]
    body = {"model": "m", "messages": [{"role": "user", "content": f"[{row}]"}], "tools": tools}
    body |= {"stream": stream, "parallel_tool_calls": parallel}
    body |= {} if ROWS[row][0] is None else {"tool_choice": ROWS[row][0]}
    body |= more
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

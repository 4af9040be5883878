"""Turns as models of some formats would write them, and what all writers have of calls."""

import json
from collections.abc import Callable
from typing import Any

from functionary_sgl.chat.json_text import parsed

Call = tuple[str, str]


def in_json(call: Call) -> str:
    """The arguments; code is one of them."""
    name, payload = call
    return json.dumps({"code": payload}, ensure_ascii=False) if name == "python" else payload


def each(arguments: str, shown: Callable[[str, Any], str]) -> str:
    """Each member of the arguments as it is `shown`."""
    try:
        values = parsed(arguments)
    except ValueError:
        return arguments
    if not isinstance(values, dict):
        return arguments
    return "".join(shown(key, value) for key, value in values.items())


def minimax(content: str, calls: list[Call]) -> str:
    parts = [
        f'<invoke name="{name}">\n{_named(in_json((name, payload)))}</invoke>\n'
        for name, payload in calls
    ]
    return content + f"\n<minimax:tool_call>\n{''.join(parts)}</minimax:tool_call>" * bool(parts)


def _named(arguments: str) -> str:
    def shown(key: str, value: Any) -> str:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        return f'<parameter name="{key}">{text}</parameter>\n'

    return each(arguments, shown)


_LINES = ("\n", "\n")


def glm_45(content: str, calls: list[Call]) -> str:
    parts = [
        f"<tool_call>{call[0]}\n{_keyed(in_json(call), *_LINES)}</tool_call>" for call in calls
    ]
    return "".join(f"\n{part}" for part in [*[content] * bool(content), *parts])


def glm_47(content: str, calls: list[Call]) -> str:
    parts = (f"<tool_call>{call[0]}{_keyed(in_json(call))}</tool_call>" for call in calls)
    return content + "".join(parts)


def ling_3(content: str, calls: list[Call]) -> str:
    parts = [
        f"<tool_call>{call[0]}\n{_keyed(in_json(call), _LINES[0])}\n</tool_call>" for call in calls
    ]
    return "\n".join([*[content] * bool(content), *parts])


def _keyed(arguments: str, between: str = "", behind: str = "") -> str:
    def shown(key: str, value: Any) -> str:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        return f"<arg_key>{key}</arg_key>{between}<arg_value>{text}</arg_value>{behind}"

    return each(arguments, shown)


def gpt_oss(content: str, calls: list[Call]) -> str:
    called = (
        f"<|channel|>commentary to=functions.{call[0]} <|constrain|>json<|message|>{in_json(call)}"
        for call in calls
    )
    if not calls:
        return f"<|channel|>final<|message|>{content}"
    before = f"<|channel|>commentary<|message|>{content}<|end|><|start|>assistant"
    return before * bool(content) + "".join(called)

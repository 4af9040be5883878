"""Turns as models of some formats would write them."""

import json
from typing import Any

from tests.calls import Call, as_json, each


def minimax(content: str, calls: list[Call]) -> str:
    parts = [
        f'<invoke name="{name}">\n{_named(as_json((name, payload)))}</invoke>\n'
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
        f"<tool_call>{call[0]}\n{_keyed(as_json(call), *_LINES)}</tool_call>" for call in calls
    ]
    return "".join(f"\n{part}" for part in [*[content] * bool(content), *parts])


def glm_47(content: str, calls: list[Call]) -> str:
    parts = (f"<tool_call>{call[0]}{_keyed(as_json(call))}</tool_call>" for call in calls)
    return content + "".join(parts)


def ling_3(content: str, calls: list[Call]) -> str:
    parts = [
        f"<tool_call>{call[0]}\n{_keyed(as_json(call), _LINES[0])}\n</tool_call>" for call in calls
    ]
    return "\n".join([*[content] * bool(content), *parts])


def _keyed(arguments: str, between: str = "", behind: str = "") -> str:
    def shown(key: str, value: Any) -> str:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        return f"<arg_key>{key}</arg_key>{between}<arg_value>{text}</arg_value>{behind}"

    return each(arguments, shown)


def gpt_oss(content: str, calls: list[Call]) -> str:
    called = (
        f"<|channel|>commentary to=functions.{call[0]} <|constrain|>json<|message|>{as_json(call)}"
        for call in calls
    )
    if not calls:
        return f"<|channel|>final<|message|>{content}"
    before = f"<|channel|>commentary<|message|>{content}<|end|><|start|>assistant"
    return before * bool(content) + "".join(called)

"""The questions of `functionary-sgl eval`: requests in held-out words, with their right answers.

    python -m nano.data.heldout [OUTPUT.jsonl]

The form is described in functionary_sgl/evaluation/questions.py.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

from functionary_sgl.chat.conversation import Conversation, Message
from functionary_sgl.chat.tools import CODE_INTERPRETER
from nano.data import conversations
from nano.data.conversations import Episode
from nano.data.scenes import Scene, asked
from nano.data.words import words

SEED = 11
PER_CATEGORY = 40
OUTPUT = Path(__file__).parents[2] / "functionary_sgl" / "evaluation" / "heldout.jsonl"

_Fits = Callable[[list[Message]], bool]


def _calls(count: int) -> _Fits:
    return lambda messages: len(messages[-1].calls) == count


def _text(messages: list[Message]) -> bool:
    return not messages[-1].calls


def _simple(messages: list[Message]) -> bool:
    """One call whose arguments are strings and numbers."""
    return _calls(1)(messages) and not _typed(messages)


def _typed(messages: list[Message]) -> bool:
    """One call with lists, objects or switches among its arguments."""
    if not _calls(1)(messages):
        return False
    arguments = json.loads(messages[-1].calls[0].arguments)
    return any(isinstance(value, list | dict | bool) for value in arguments.values())


# The category's name; how many functions are on offer; the episode; how many messages of it are
# asked, the last being the answer; and which of what was drawn belongs to the category.
_CATEGORIES: tuple[tuple[str, tuple[int, ...], Episode, int, _Fits], ...] = (
    ("single", (1, 2, 3), conversations.single, 2, _simple),
    ("single of many", (6, 7, 8), conversations.single, 2, _simple),
    ("lists, objects, switches", (1, 2, 3), conversations.single, 2, _typed),
    ("parallel", (1, 2, 3), conversations.parallel_same, 2, _calls(2)),
    ("two functions", (2, 3, 4), conversations.parallel_different, 2, _calls(2)),
    ("no function fits", (1, 2, 3), conversations.none_fits, 2, _text),
    ("value missing", (1, 2, 3), conversations.missing, 2, _text),
    ("value given later", (1, 2, 3), conversations.missing, 4, _calls(1)),
    ("tool result", (1, 2, 3), conversations.single, 4, _text),
    ("small talk", (1, 2, 3), conversations.small_talk, 2, _text),
    ("small talk, no tools", (0,), conversations.small_talk, 2, _text),
    ("code", (0, 1), conversations.arithmetic, 2, _calls(1)),
)


def scenes(seed: int | str, per_category: int) -> Iterator[tuple[str, Scene]]:
    """So many scenes of every category, each with its category; a scene's last message is the
    answer."""
    for category, counts, episode, length, fits in _CATEGORIES:
        number = found = 0
        while found < per_category:
            random = Random(f"heldout:{seed}:{category}:{number}")
            number += 1
            code = category == "code"
            functions = conversations.offered(random, words("heldout"), random.choice(counts))
            scene = Scene(random, words("heldout"), functions, code)
            if episode not in conversations.suitable(scene):
                continue
            episode(scene)
            del scene.messages[length:]
            if len(scene.messages) == length and fits(scene.messages):
                found += 1
                yield category, scene


def questions() -> list[dict[str, Any]]:
    """All questions, in the order of their categories."""
    return [
        _question(f"{category} {index % PER_CATEGORY + 1}", category, scene)
        for index, (category, scene) in enumerate(scenes(SEED, PER_CATEGORY))
    ]


def _question(name: str, category: str, scene: Scene) -> dict[str, Any]:
    *before, answer = scene.messages
    conversation: Conversation = asked(scene)
    tools: list[dict[str, Any]] = [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.parameters,
            },
        }
        for tool in conversation.tools
    ]
    if conversation.code_interpreter:
        tools.append({"type": "code_interpreter"})
    request = {"messages": _messages(before)} | ({"tools": tools} if tools else {})
    calls = [{"name": c.name, "arguments": _arguments(c.name, c.arguments)} for c in answer.calls]
    expected: dict[str, Any] = {"calls": calls}
    if not calls:
        expected["contains"] = _facts(category, scene.messages)
    return {"id": name, "category": category, "request": request, "expected": expected}


def _arguments(name: str, text: str) -> Any:
    return text if name == CODE_INTERPRETER else json.loads(text)


def _messages(messages: list[Message]) -> list[dict[str, Any]]:
    """Messages as the API takes them, calls with ids."""
    shown: list[dict[str, Any]] = []
    for message in messages:
        if message.calls:
            calls = [
                {
                    "id": f"call_{i}",
                    "type": "function",
                    "function": {"name": c.name, "arguments": c.arguments},
                }
                for i, c in enumerate(message.calls)
            ]
            shown.append({"role": "assistant", "content": None, "tool_calls": calls})
        elif message.role == "tool":
            shown.append({"role": "tool", "tool_call_id": "call_0", "content": message.content})
        else:
            shown.append({"role": message.role, "content": message.content})
    return shown


def _facts(category: str, messages: list[Message]) -> list[str]:
    """What the answer must contain to be one: a result's values, or what is asked for."""
    if category == "tool result":
        try:
            content = json.loads(messages[-2].content)
        except ValueError:
            content = messages[-2].content
        values = content.values() if isinstance(content, dict) else [content]
        return [str(value) for value in values]
    if category == "value missing":
        _, asked = messages[-1].content.split(" I need ")
        return asked.removesuffix(".").split(" and ")
    return []


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("output", type=Path, nargs="?", default=OUTPUT)
    file: Path = parser.parse_args().output
    made = questions()
    lines = (json.dumps(q, ensure_ascii=False, separators=(",", ":")) + "\n" for q in made)
    file.write_text("".join(lines), encoding="utf-8")
    print(f"{file}: {len(made)} questions")


if __name__ == "__main__":
    main()

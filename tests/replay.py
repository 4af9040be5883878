"""Turns for tests of all formats: random ones, and what comes out when one is replayed."""

import asyncio
import atexit
import json
from functools import cache
from typing import Any, NamedTuple

from hypothesis import strategies as st

from functionary_sgl.api.chat import intake
from functionary_sgl.api.chat.chunks import ChoiceChunks, Head
from functionary_sgl.api.chat.fold import Fold
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.gate import Constraints
from functionary_sgl.prompt.prompter import Prompter
from functionary_sgl.runtime.events import Ended
from functionary_sgl.turns import FORMATS
from tests.serving import scripted_model

# Names that begin alike, one that begins like the text recipient.
NAMES = ["get", "get_weather", "get_weather_forecast", "allow", "now"]
OPEN = {"type": "object", "properties": {}, "additionalProperties": True}
TOOLS: list[dict[str, Any]] = [
    {"type": "function", "function": {"name": name, "parameters": OPEN}} for name in NAMES
]
CODE = {"type": "code_interpreter"}

# U+FDD0 is the tokenizer room's own mark; llguidance writes DEL in JSON only as an escape.
characters = st.characters(exclude_categories=["Cs"], exclude_characters="\ufdd0\x7f")
# Text that looks like markers without being one, and characters of several tokens.
fragments = st.one_of(
    st.sampled_from(
        [
            *(">>>", ">>", ">>> print(1)\n", ">>>unknown\n", "all\n"),
            *("<function=", "<function=unknown>", "</function>", "<|eot", "```", "\n```\n"),
            *("</tool_call>", "<tool", "[TOOL", '"name": "now"', "</think>", "<thin"),
            *("\n", " ", "é漢🙂", "{"),
        ]
    ),
    st.text(characters, max_size=8),
)
# What begins a call or reasoning in some format, or ends a turn.
MARKS = [f">>>{name}\n" for name in [*NAMES, "all", "python"]]
MARKS += [f"<function={name}>" for name in NAMES]
MARKS += ["<tool_call>", "[TOOL_CALLS]", '{"name": "', '{"type": "function", "name": "']
MARKS += ["<think>", "<thinking>", "<reasoning>", "[THINK]"]
CONTROL_TOKENS = [t for f in FORMATS.values() for t in (*f.control_tokens, *f.stop_tokens)]
MARKS += CONTROL_TOKENS


def _is_only_text(text: str) -> bool:
    return bool(text) and not any(mark in text + "\n" for mark in MARKS)


# Texts that no format takes for anything else, nor together with what follows them.
payloads = (
    st.lists(fragments, min_size=1, max_size=6)
    .map(lambda parts: "".join(parts).strip())
    .filter(_is_only_text)
    .filter(lambda text: not text.endswith((">", "<", "`")))
)
thoughts = payloads.filter(lambda text: "</think" not in text and "[/THINK" not in text)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-999, 999), st.text(characters, max_size=8)),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.just("k"), inner, max_size=1),
    max_leaves=3,
)
arguments = st.dictionaries(
    st.sampled_from(["a", ">>>now", "</function>", "</tool_call>", "```", "é"]), values, max_size=3
).map(lambda a: json.dumps(a, ensure_ascii=False))
# A script cannot say whether a model that nothing constrains means the token or its text.
arguments = arguments.filter(lambda text: not any(token in text for token in CONTROL_TOKENS))
calls = st.one_of(
    st.tuples(st.sampled_from(NAMES), arguments), st.tuples(st.just("python"), payloads)
)
turns = st.tuples(st.none() | payloads, st.lists(calls, max_size=3)).filter(any)
cuts = st.one_of(
    st.integers(1, 5), st.sampled_from(["char", "all"]), st.lists(st.integers(1, 9), min_size=1)
)


class Replayed(NamedTuple):
    """An answer folded from the chunks of its stream, and the ids of its prompt and turn."""

    completion: dict[str, Any]
    ids: list[int]

    @property
    def message(self) -> dict[str, Any]:
        message: dict[str, Any] = self.completion["choices"][0]["message"]
        return message

    @property
    def finish_reason(self) -> str:
        reason: str = self.completion["choices"][0]["finish_reason"]
        return reason

    @property
    def said(self) -> tuple[str | None, list[tuple[str, str]]]:
        """Content, and calls as names and arguments."""
        functions = [call["function"] for call in self.message.get("tool_calls", [])]
        return self.message["content"], [(f["name"], f["arguments"]) for f in functions]


def tools_of(prompter: Prompter) -> list[dict[str, Any]]:
    """The tools of these tests, with the code interpreter where the format has one."""
    return [*TOOLS, CODE] if prompter.format.code else TOOLS


def replay(
    prompter: Prompter,
    turn: str,
    cut: Any = 1,
    *,
    constraints: Constraints = "schema",
    **fields: Any,
) -> Replayed:
    """What the raw `turn`, cut so, gives as the answer to a request with these fields."""
    messages = [{"role": "user", "content": "Hi"}]
    body = {"model": "m", "messages": messages, "tools": tools_of(prompter), **fields}
    request = ChatRequest.from_json(json.dumps(body))
    conversation = intake.conversation(request)
    model = scripted_model(prompter, {"turn": turn, "chunk": cut}, constraints=constraints)

    async def run() -> Replayed:
        sampling = intake.sampling(request, {})
        prepared = await model.prepare(conversation, sampling, request.max_tokens)
        chunks, fold, ids = ChoiceChunks(0, conversation.choice, legacy=False), Fold(), []
        async for event in model.run(conversation, prepared):
            for entry in chunks.entries(event):
                fold.add(Head("id", 0, "m").chunk([entry]))
            if isinstance(event, Ended):
                ids = list(event.token_ids)
        return Replayed(fold.completion(), ids)

    return runner().run(run())


@cache
def runner() -> asyncio.Runner:
    """An event loop for all replays: to make one, with its threads, takes as long as a turn."""
    made = asyncio.Runner()
    atexit.register(made.close)
    return made

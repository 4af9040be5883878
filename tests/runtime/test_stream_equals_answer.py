"""Invariant: the folded stream is the answer, for every way to cut the engine's output.

Random turns are written as a model would write them, cut at random, and run; what comes out must
be what was meant.
"""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functionary_sgl.api import intake, parse
from functionary_sgl.api.chunks import ChoiceChunks, Head
from functionary_sgl.api.fold import Fold
from functionary_sgl.turns import FORMATS
from tests.conftest import scripted_model
from tests.formats import PROMPTERS, possible, written

every_format = pytest.mark.parametrize("format", FORMATS)

# Names that begin alike, one that begins like the text recipient.
NAMES = ["get", "get_weather", "get_weather_forecast", "allow", "now"]
OPEN = {"type": "object", "properties": {}, "additionalProperties": True}
TOOLS = [{"type": "function", "function": {"name": name, "parameters": OPEN}} for name in NAMES] + [
    {"type": "code_interpreter"}
]

# U+FDD0 is the tokenizer room's own mark; llguidance writes DEL in JSON only as an escape.
characters = st.characters(exclude_categories=["Cs"], exclude_characters="\ufdd0\x7f")
# Text that looks like markers without being one, and characters of several tokens.
fragments = st.one_of(
    st.sampled_from(
        [
            *(">>>", ">>", ">>> print(1)\n", ">>>unknown\n", "all\n"),
            *("<function=", "<function=unknown>", "</function>", "<|eot", "```"),
            *("\n", " ", "é漢🙂", "{"),
        ]
    ),
    st.text(characters, max_size=8),
)
marks = [f">>>{name}\n" for name in [*NAMES, "all", "python"]]
marks += [f"<function={name}>" for name in NAMES]
payloads = (
    st.lists(fragments, min_size=1, max_size=6)
    .map(lambda parts: "".join(parts).strip())
    .filter(lambda text: text and not any(mark in text + "\n" for mark in marks))
    .filter(lambda text: not text.endswith((">", "<")))
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-999, 999), st.text(characters, max_size=8)),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.just("k"), inner, max_size=1),
    max_leaves=3,
)
arguments = st.dictionaries(
    st.sampled_from(["a", ">>>now", "</function>", "é"]), values, max_size=3
)
calls = st.one_of(
    st.tuples(st.sampled_from(NAMES), arguments.map(lambda a: json.dumps(a, ensure_ascii=False))),
    st.tuples(st.just("python"), payloads),
)
turns = st.tuples(st.none() | payloads, st.lists(calls, max_size=3)).filter(any)
cuts = st.one_of(
    st.integers(1, 5), st.sampled_from(["char", "all"]), st.lists(st.integers(1, 9), min_size=1)
)


def answer(format: str, turn: str, cut: Any, **fields: Any) -> dict[str, Any]:
    """The completion that the raw turn gives, folded from the chunks of its stream."""
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "tools": TOOLS, **fields}
    request = parse.chat_request(json.dumps(body))
    conversation = intake.conversation(request)
    model = scripted_model(PROMPTERS[format], {"turn": turn, "chunk": cut})

    async def run() -> dict[str, Any]:
        prepared = await model.prepare(conversation, intake.sampling(request, {}), None)
        chunks, fold = ChoiceChunks(0, conversation.choice, legacy=False), Fold()
        async for event in model.run(conversation, prepared):
            for entry in chunks.entries(event):
                fold.add(Head("id", 0, "m").chunk([entry]))
        return fold.completion()

    return asyncio.run(run())


def said(completion: dict[str, Any]) -> tuple[str | None, list[tuple[str, str]]]:
    message = completion["choices"][0]["message"]
    functions = [call["function"] for call in message.get("tool_calls", [])]
    return message["content"], [(f["name"], f["arguments"]) for f in functions]


@every_format
@settings(deadline=None, max_examples=80)
@given(turns, cuts)
def test_what_was_written_is_what_is_answered(format: str, turn: Any, cut: Any) -> None:
    content, calls = turn[0], possible(format, turn[1])
    completion = answer(format, written(format, content, calls), cut)
    assert said(completion) == (content, calls)
    finish = "tool_calls" if calls else "stop"
    assert completion["choices"][0]["finish_reason"] == finish


@every_format
@settings(deadline=None, max_examples=30)
@given(st.lists(calls, min_size=1, max_size=3), cuts)
def test_required_calls_are_the_same(format: str, calls: list[tuple[str, str]], cut: Any) -> None:
    calls = possible(format, calls)
    completion = answer(format, written(format, None, calls), cut, tool_choice="required")
    assert said(completion) == (None, calls)


@every_format
@settings(deadline=None, max_examples=30)
@given(arguments.map(lambda a: json.dumps(a, ensure_ascii=False)), cuts)
def test_a_named_call_is_the_same(format: str, arguments: str, cut: Any) -> None:
    choice = {"type": "function", "function": {"name": "now"}}
    completion = answer(format, arguments, cut, tool_choice=choice)
    assert said(completion) == (None, [("now", arguments)])
    assert completion["choices"][0]["finish_reason"] == "stop"


@every_format
@settings(deadline=None, max_examples=30)
@given(payloads, cuts)
def test_with_no_choice_all_is_text(format: str, text: str, cut: Any) -> None:
    text = f"{text}>>>now\n{{}}<function=now>{{}}</function>"
    completion = answer(format, written(format, text, []), cut, tool_choice="none")
    assert said(completion) == (text, [])

"""Invariant: the next prompt begins with exactly the ids of this prompt and its turn."""

import json
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from functionary_sgl.api.chat import intake
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.gate import Constraints
from functionary_sgl.prompt.encode import VARIANTS, PromptEncoder
from functionary_sgl.prompt.own_template import OwnTemplate
from functionary_sgl.prompt.prompter import Prompter
from functionary_sgl.tokenizer import Tokenizer
from functionary_sgl.turns import FORMATS
from tests.conftest import WEATHER
from tests.formats import PROMPTERS, ended, lasting, own_template, possible, written
from tests.replay import calls, cuts, replay, thoughts, tools_of, turns
from tests.runtime.test_stream_equals_answer import every_format, reasoning_formats

CALL = 'get_current_weather\n{"location": "Rome"}'


def turn_and_next_prompt(
    prompter: Prompter,
    turn: str,
    cut: Any,
    tools: Any,
    *,
    echo: bool = True,
    constraints: Constraints = "schema",
    **fields: Any,
) -> tuple[list[int], list[int]]:
    """The ids of a prompt and its turn, and those of the prompt after the echoed answer; without
    `echo` the client keeps the reasoning to itself."""
    asked = replay(prompter, turn, cut, constraints=constraints, tools=tools, **fields)
    answer = dict(asked.message)
    if not echo:
        answer.pop("reasoning_content", None)
    calls = answer.get("tool_calls", ())
    messages = [{"role": "user", "content": "Hi"}, answer]
    messages += [{"role": "tool", "tool_call_id": call["id"], "content": "ok"} for call in calls]
    if not calls:
        messages.append({"role": "user", "content": "And now?"})
    request = {"model": "m", "messages": messages, "tools": tools, **fields}
    after = intake.conversation(ChatRequest.from_json(json.dumps(request)))
    return asked.ids, list(prompter.prompt(after).token_ids)


@every_format
@given(turns, cuts)
def test_the_next_prompt_goes_on_from_the_ids_of_the_turn(format: str, turn: Any, cut: Any) -> None:
    """Cut anyhow, a turn has ids that no tokenizer would give; they come back all the same."""
    prompter = PROMPTERS[format]
    content, calls = possible(format, *turn)
    assume(content or calls)
    # Mistral's templates show the tools before the last user message only.
    assume(calls or format != "mistral")
    raw = ended(format, content, calls)
    before, after = turn_and_next_prompt(prompter, raw, cut, tools_of(prompter))
    before = lasting(format, before)
    assert after[: len(before)] == before


@pytest.mark.parametrize("echo", [True, False])
@reasoning_formats
@given(thoughts, calls, cuts)
@example("\ufdd1", ("get", "{}"), 1)
def test_reasoning_stays_while_calls_are_answered(
    format: str, echo: bool, thought: str, call: Any, cut: Any
) -> None:
    prompter = PROMPTERS[format]
    raw = written(format, None, [call], thought)
    before, after = turn_and_next_prompt(prompter, raw, cut, tools_of(prompter), echo=echo)
    assert after[: len(before)] == before


@pytest.mark.parametrize(
    "fields", [{"parallel_tool_calls": False}, {"max_tokens": 12}, {"stop": "!"}]
)
def test_also_where_the_model_did_not_end_the_turn(prompter: Prompter, fields: Any) -> None:
    turn = f"all\nSure! Wait>>>{CALL}"
    before, after = turn_and_next_prompt(prompter, turn, "char", [WEATHER], **fields)
    assert after[: len(before)] == before


def test_trimmed_white_space_is_still_in_the_cache(prompter: Prompter) -> None:
    before, after = turn_and_next_prompt(prompter, "all\n  Hello \n", 1, [WEATHER])
    assert after[: len(before)] == before
    assert "  Hello \n<|eot_id|>" in prompter.tokenizer.decode(after)


@every_format
@pytest.mark.parametrize("broken", ["{'a': 1}", '{"a": "Rome', "[1]", "null", "not <json>"])
def test_broken_arguments_come_back_as_the_ids_that_they_were(format: str, broken: str) -> None:
    """Where no grammar constrains them."""
    prompter = PROMPTERS[format]
    turn = ended(format, None, [("get", broken)])
    tools = tools_of(prompter)
    before, after = turn_and_next_prompt(prompter, turn, 1, tools, constraints="off")
    assert after[: len(before)] == before


def test_a_template_that_takes_objects_only_shows_what_can_be_read_of_broken_arguments() -> None:
    known = own_template(FORMATS["hermes"])
    assert known is not None
    either = "call.arguments if call.arguments is string else call.arguments | tojson"
    text = known.text.replace(either, "dict(call.arguments | items) | tojson")
    assert text != known.text
    template = OwnTemplate(text, known.special_tokens)
    prompter = Prompter(FORMATS["hermes"], PROMPTERS["hermes"].tokenizer, template)
    turn = written("hermes", None, [("get", json.dumps({"a": "word " * 40}))])
    ((name, arguments),) = replay(prompter, turn, max_tokens=30).said[1]
    assert name == "get"
    assert arguments.startswith('{"a": "word word')
    _, after = turn_and_next_prompt(prompter, turn, 1, tools_of(prompter), max_tokens=30)
    assert '{"name": "get", "arguments": {"a": "word word' in prompter.tokenizer.decode(after)


REFUSALS = {
    "a user after calls": "m.role == 'user' and before.tool_calls",
    "a call without its result": "before.tool_calls and messages[loop.index0:] "
    "| selectattr('role', 'equalto', 'tool') | list | length < before.tool_calls | length",
}


@pytest.mark.parametrize("refused", REFUSALS.values(), ids=REFUSALS)
def test_a_template_may_refuse_what_does_not_follow(refused: str) -> None:
    """Mistral's insist on the order of roles, others on a result for each call."""
    known = own_template(FORMATS["hermes"])
    assert known is not None
    refuses = (
        "{%- for m in messages %}{%- set before = messages[loop.index0 - 1] %}"
        f"{{%- if loop.index0 and {refused} %}}{{{{- raise_exception('no') }}}}{{%- endif %}}"
        "{%- endfor %}"
    )
    template = OwnTemplate(refuses + known.text, known.special_tokens)
    prompter = Prompter(FORMATS["hermes"], PROMPTERS["hermes"].tokenizer, template)
    turn = written("hermes", None, [("get", "{}"), ("now", "{}")])
    before, after = turn_and_next_prompt(prompter, turn, "char", tools_of(prompter))
    assert after[: len(before)] == before


def test_another_conversation_does_not_see_them(prompter: Prompter) -> None:
    turn_and_next_prompt(prompter, "all\nHello", "char", [WEATHER])
    messages = [
        {"role": "user", "content": "Another"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "x"},
    ]
    request = ChatRequest.from_json(json.dumps({"model": "m", "messages": messages}))
    prompt = prompter.prompt(intake.conversation(request))
    fresh = Prompter(prompter.format, prompter.tokenizer).prompt(intake.conversation(request))
    assert prompt.token_ids == fresh.token_ids


def test_what_is_remembered_is_bounded(
    tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functionary_sgl.prompt.encode.TURNS_TOKENS", 10)
    encoder = PromptEncoder(tokenizer)
    for number in range(9):
        encoder.remember([f"{number}<|eot_id|>"], [number] * 3, b"%d" % number)
    encoder.remember(["long<|eot_id|>"], [1] * 11, b"long")
    told = [b"%d" % number for number in range(9)]
    known = [n for n in range(9) if encoder.encode(f"{n}<|eot_id|>", told) == [n] * 3]
    assert known == [6, 7, 8]


def test_of_one_turn_the_last_few_texts_are_remembered(tokenizer: Tokenizer) -> None:
    """Whoever asks the same with ever other tools makes it no slower for those who ask it too."""
    encoder = PromptEncoder(tokenizer)
    for number in range(VARIANTS + 5):
        encoder.remember([f"{number}<|eot_id|>"], [number], b"same")
    found = [n for n in range(VARIANTS + 5) if encoder.encode(f"{n}<|eot_id|>", [b"same"]) == [n]]
    assert found == list(range(5, VARIANTS + 5))


@given(st.lists(st.sampled_from(["<|eot_id|>", "<|start_header_id|>", "a b", "é", "\n\n"])))
def test_pieces_that_are_known_give_the_same_ids(pieces: list[str]) -> None:
    tokenizer = PROMPTERS["v3.llama3"].tokenizer
    encoder = PromptEncoder(tokenizer, tokenizer.bos_ids)
    text = "".join(pieces)
    expected = [*tokenizer.bos_ids, *tokenizer.encode_marked(text)]
    assert encoder.encode(text) == encoder.encode(text) == expected


def test_of_many_conversations_only_the_answers_are_kept(
    tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many agents may run at once as their answers have room, however long their prompts."""
    conversations, answers = 20, 5
    monkeypatch.setattr("functionary_sgl.prompt.encode.TURNS_TOKENS", conversations * answers * 3)
    encoder = PromptEncoder(tokenizer, tokenizer.bos_ids)
    texts = [f"{number} {'long ' * 50}<|eot_id|>" for number in range(conversations)]
    told: list[list[bytes]] = [[] for _ in texts]
    for turn in range(answers):
        for number, text in enumerate(texts):
            ids = [*encoder.encode(text, told[number]), 7, 8, 9]
            name = b"%d of %d" % (turn, number)
            texts[number] = f"{text}answer {turn}<|eot_id|>"
            encoder.remember([texts[number]], ids, name, text, told[number])
            told[number].append(name)
            assert encoder.encode(texts[number], told[number]) == ids


def test_a_turn_that_was_forgotten_leaves_the_others(tokenizer: Tokenizer) -> None:
    encoder = PromptEncoder(tokenizer)
    first, second = "a<|eot_id|>b<|eot_id|>", "a<|eot_id|>b<|eot_id|>c<|eot_id|>"
    begun = encoder.encode("a<|eot_id|>")
    encoder.remember([first], [*begun, 7], b"1", "a<|eot_id|>")
    encoder.remember([second], [*begun, 7, 8], b"2", first, [b"1"])
    assert encoder.encode(second, [b"1", b"2"]) == [*begun, 7, 8]
    assert encoder.encode(second, [b"2"]) == [*encoder.encode(first), 8]
    assert encoder.encode(second, [b"1"]) == [*begun, 7, *encoder.encode(second)[-2:]]


def test_a_turn_whose_beginning_changed_keeps_all_of_its_ids(tokenizer: Tokenizer) -> None:
    """Such as where two answers say the same in other ids."""
    encoder = PromptEncoder(tokenizer)
    first, second = "a<|eot_id|>b<|eot_id|>", "a<|eot_id|>b<|eot_id|>c<|eot_id|>"
    encoder.remember([first], [1, 2], b"1")
    encoder.remember([first], [3, 4], b"1")
    encoder.remember([second], [1, 2, 5], b"2", first, [b"1"])
    assert encoder.encode(second, [b"1", b"2"]) == [1, 2, 5]

"""Earlier turns are shown as the model wrote them, to whoever says the same, and to nobody else."""

import json
from dataclasses import replace

import pytest

from functionary_sgl.chat.conversation import Call, Conversation, Message
from functionary_sgl.prompt.prompter import Prompter
from functionary_sgl.prompt.recall import AnswerMemory
from tests.formats import PROMPTERS, own_template

HI = Conversation((Message("user", "Hi"),))
WHY = Message("user", "Why?")
WRITTEN = '{"city": "Zürich", "days": 2.0, "far": 1e2, "below": -0.0, "more": [true, null, {}]}'


def call(arguments: str, call_id: str = "call_1") -> Message:
    return Message("assistant", "", (Call("f", arguments, call_id),))


def result(call_id: str = "call_1") -> Message:
    return Message("tool", "ok", (), "f", call_id)


def prompter(format: str = "v3.llama3") -> Prompter:
    """One that remembers nothing yet."""
    known = PROMPTERS[format]
    return Prompter(known.format, known.tokenizer, own_template(known.format))


def told(asked: Prompter, before: Conversation, answer: Message, salt: str = "") -> None:
    """Let `asked` remember `answer`, with ids that do not matter here."""
    asked.remember(before, answer, asked.prompt(before, salt).token_ids, salt)


def shown(asked: Prompter, *messages: Message, salt: str = "") -> str:
    return str(asked.prompt(Conversation((*HI.messages, *messages)), salt))


RESPELLED = [
    '{"city":"Z\\u00fcrich","days":2.0,"far":100.0,"below":-0.0,"more":[true,null,{}]}',
    '{"below": 0, "city": "Zürich", "days": 2, "far": 100, "more": [true, null, {}]}',
    json.dumps(json.loads(WRITTEN), indent=2, sort_keys=True),
]


@pytest.mark.parametrize("arguments", RESPELLED)
def test_the_same_arguments_are_shown_as_they_were_written(arguments: str) -> None:
    asked = prompter()
    told(asked, HI, call(WRITTEN))
    assert WRITTEN in shown(asked, call(arguments), result())
    assert WRITTEN not in shown(prompter(), call(arguments), result())


@pytest.mark.parametrize(
    "arguments",
    [
        WRITTEN.replace("2.0", "3.0"),
        WRITTEN.replace("2.0", '"2.0"'),
        WRITTEN.replace("true", "1"),
        WRITTEN.replace("null, {}", "{}, null"),
        WRITTEN.replace("city", "town"),
        WRITTEN[:-1],
        "[]",
        "",
    ],
)
def test_other_arguments_stay_what_they_are(arguments: str) -> None:
    asked = prompter()
    told(asked, HI, call(WRITTEN))
    assert shown(asked, call(arguments), result()) == shown(prompter(), call(arguments), result())


def test_code_is_no_object_with_spellings() -> None:
    asked = prompter()
    told(asked, HI, Message("assistant", "", (Call("python", "1.0", "call_1"),)))
    other = Message("assistant", "", (Call("python", "1", "call_1"),))
    assert "python\n1<" in shown(asked, other, result())


@pytest.mark.parametrize("digits", [400, 4_000])
def test_numbers_that_no_double_holds_are_themselves(digits: int) -> None:
    asked, number = prompter(), "7" * digits
    told(asked, HI, call(f'{{"n": {number}}}'))
    assert f'{{"n": {number}}}' in shown(asked, call(f'{{"n":{number}}}'), result())
    assert f'{{"n":{number}1}}' in shown(asked, call(f'{{"n":{number}1}}'), result())


def test_a_later_turn_is_found_behind_one_in_another_spelling() -> None:
    asked, again = prompter(), call('{"a": 2}', "call_2")
    told(asked, HI, call(WRITTEN))
    so_far = [call(RESPELLED[0]), result()]
    told(asked, replace(HI, messages=(*HI.messages, *so_far)), again)
    for spelling in (WRITTEN, *RESPELLED):
        later = [call(spelling), result(), call('{"a":2}', "call_2"), result("call_2")]
        assert '{"a": 2}' in shown(asked, *later)


REASONING = "v3-llama3.1-reasoning"
THOUGHT = "a secret thought"
TEXT = Message("assistant", "It is fine.")


def reasoned(call_id: str = "call_1") -> Prompter:
    """One that was asked, and has called and then said something, each after a thought."""
    asked = prompter(REASONING)
    told(asked, HI, replace(call("{}"), reasoning="a first thought"))
    so_far = Conversation((*HI.messages, call("{}", call_id), result(call_id)))
    told(asked, so_far, replace(TEXT, reasoning=THOUGHT))
    return asked


def test_reasoning_before_a_text_is_found_by_the_calls_before_it() -> None:
    found = shown(reasoned(), call("{}"), result(), TEXT, WHY)
    assert f"<thinking>{THOUGHT}</thinking>It is fine." in found
    assert "<thinking>a first thought</thinking>" in found


def test_a_client_may_send_some_of_the_reasoning() -> None:
    first = replace(call("{}"), reasoning="a first thought")
    assert THOUGHT in shown(reasoned(), first, result(), TEXT, WHY)


def test_another_who_was_told_the_same_without_reasoning_changes_nothing() -> None:
    asked = reasoned()
    told(asked, HI, call("{}", "call_2"))
    told(asked, Conversation((*HI.messages, call("{}", "call_2"), result("call_2"))), TEXT)
    assert THOUGHT in shown(asked, call("{}"), result(), TEXT, WHY)
    assert "thought" not in shown(asked, call("{}", "call_2"), result("call_2"), TEXT, WHY)


@pytest.mark.parametrize("call_id", ["call_2", ""])
def test_who_does_not_know_the_calls_finds_no_reasoning(call_id: str) -> None:
    asked = reasoned()
    assert "thought" not in shown(asked, call("{}", call_id), result(call_id), TEXT, WHY)
    assert "thought" not in shown(asked, TEXT, WHY)


def test_ids_that_a_client_made_up_prove_nothing() -> None:
    """Others could make up the same."""
    asked = reasoned("call_of_its_own")
    again = [call("{}", "call_of_its_own"), result("call_of_its_own")]
    assert "thought" not in shown(asked, *again, TEXT, WHY)


def test_a_text_that_goes_on_is_the_clients() -> None:
    """What comes of it is remembered by its text."""
    messages = (*HI.messages, call("{}"), result(), TEXT)
    found = str(reasoned().prompt(Conversation(messages, continues=True)))
    assert found.endswith("<|end_header_id|>\n\nIt is fine.")
    assert "a first thought" in found


def test_reasoning_before_a_text_without_calls_is_the_clients_alone() -> None:
    asked = prompter(REASONING)
    told(asked, HI, replace(TEXT, reasoning=THOUGHT))
    assert THOUGHT not in shown(asked, TEXT, WHY)
    assert THOUGHT in shown(asked, replace(TEXT, reasoning=THOUGHT), WHY)


@pytest.mark.parametrize(("kept", "asked_with"), [("", "b"), ("a", ""), ("a", "b")])
def test_other_salts_do_not_find_it(kept: str, asked_with: str) -> None:
    asked = prompter()
    told(asked, HI, call(WRITTEN), kept)
    assert RESPELLED[0] in shown(asked, call(RESPELLED[0]), result(), salt=asked_with)
    assert WRITTEN in shown(asked, call(RESPELLED[0]), result(), salt=kept)


def test_a_template_that_drops_reasoning_drops_what_is_recalled_too() -> None:
    """The model was not trained with the reasoning of former questions, whoever sends it."""
    asked = prompter("hermes")
    turn = f"<think>\n{THOUGHT}\n</think>\n\n<tool_call>"
    ids = [*asked.prompt(HI).token_ids, *asked.tokenizer.encode(turn)]
    asked.remember(HI, replace(call("{}"), reasoning=THOUGHT), ids)
    so_far = Conversation((*HI.messages, call("{}"), result()))
    ids = [*asked.prompt(so_far).token_ids, *asked.tokenizer.encode(TEXT.content)]
    asked.remember(so_far, TEXT, ids)
    assert THOUGHT in asked.tokenizer.decode(ids)
    later = Conversation((*so_far.messages, TEXT, WHY))
    assert THOUGHT not in asked.tokenizer.decode(list(asked.prompt(later).token_ids))


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functionary_sgl.prompt.recall.ANSWERS_CHARACTERS", 3_000)
    memory = AnswerMemory()
    asked = [Conversation((Message("user", str(number)),)) for number in range(9)]
    for before in asked:
        memory.remember(before, call('{"a": 1}'), "")
    memory.remember(HI, call(json.dumps({"a": "long" * 1_000})), "")
    again = [memory.recalled(before.followed_by(call('{"a":1}')), "") for before in asked]
    shown = [one.messages[-1].calls[0].arguments for one in again]
    assert shown == ['{"a":1}'] * 5 + ['{"a": 1}'] * 4

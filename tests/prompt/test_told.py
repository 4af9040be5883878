"""A turn is remembered for who was told it, and for nobody else."""

import json
from typing import Any

import pytest

from functionary_sgl.api.chat import intake
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.chat.conversation import Call, Conversation, Message
from functionary_sgl.prompt.encode import PromptEncoder
from functionary_sgl.prompt.prompter import Prompter
from functionary_sgl.prompt.told import turns_told
from tests.conftest import WEATHER
from tests.formats import PROMPTERS, written
from tests.replay import replay, tools_of

HI = Message("user", "Hi")


def prompter(format: str = "v3.llama3") -> Prompter:
    """One that remembers nothing yet."""
    known = PROMPTERS[format]
    return Prompter(known.format, known.tokenizer)


def ids_of(asked: Prompter, *messages: Message, salt: str = "") -> tuple[int, ...]:
    return asked.prompt(Conversation((HI, *messages)), salt).token_ids


def remembered(asked: Prompter, answer: Message, salt: str = "") -> list[int]:
    """Remember `answer` with ids that no tokenizer gives: its text letter by letter."""
    conversation = Conversation((HI,))
    prompt = asked.prompt(conversation).token_ids
    letters = [i for letter in f"all\n{answer.content}" for i in asked.tokenizer.encode(letter)]
    ids = [*prompt, *letters, asked.stop_token_ids[0]]
    asked.remember(conversation, answer, ids, salt)
    return ids


NEXT = Message("user", "Why?")


def test_it_comes_back_to_who_knows_it() -> None:
    asked, answer = prompter(), Message("assistant", "Hello there")
    ids = remembered(asked, answer)
    assert list(ids_of(asked, answer, NEXT))[: len(ids)] == ids
    assert list(ids_of(prompter(), answer, NEXT))[: len(ids)] != ids


@pytest.mark.parametrize(("kept", "asked_with"), [("", "b"), ("a", ""), ("a", "b"), ("b", "b ")])
def test_other_salts_do_not_find_it(kept: str, asked_with: str) -> None:
    asked, answer = prompter(), Message("assistant", "Hello there")
    remembered(asked, answer, kept)
    fresh = ids_of(prompter(), answer, NEXT)
    assert ids_of(asked, answer, NEXT, salt=asked_with) == fresh


def test_what_a_template_leaves_out_has_to_be_known_too() -> None:
    """Some show the calls of a message and not the text beside them: the same prompt, then."""
    call = Call("f", "{}", "call_1")
    told, silent = Message("assistant", "A secret", (call,)), Message("assistant", "", (call,))
    encoder = PromptEncoder(PROMPTERS["v3.llama3"].tokenizer)
    (name,) = turns_told([HI, told], "")
    encoder.remember(["f<|eot_id|>"], [1, 2, 3], name)
    assert encoder.encode("f<|eot_id|>", turns_told([HI, told], "")) == [1, 2, 3]
    for known in ([HI, silent], [HI], [told], [HI, HI, told]):
        assert encoder.encode("f<|eot_id|>", turns_told(known, "")) != [1, 2, 3]


REASONING = "hermes"


def turn(**fields: Any) -> tuple[Prompter, dict[str, Any], list[int]]:
    """A turn of a model that reasons and then calls: the answer as the client gets it, its ids."""
    known = PROMPTERS[REASONING]
    raw = written(REASONING, None, [("get", "{}")], "secret thought")
    asked = replay(known, raw, "char", **fields)
    return known, dict(asked.message), asked.ids


def after(known: Prompter, answer: dict[str, Any]) -> list[int]:
    (made,) = answer["tool_calls"]
    result = {"role": "tool", "tool_call_id": made["id"], "content": "ok"}
    messages = [{"role": "user", "content": "Hi"}, answer, result]
    body = {"model": "m", "messages": messages, "tools": tools_of(known)}
    return list(
        known.prompt(intake.conversation(ChatRequest.from_json(json.dumps(body)))).token_ids
    )


def test_reasoning_that_is_not_sent_back_is_found_by_the_ids_of_calls() -> None:
    known, answer, ids = turn()
    del answer["reasoning_content"]
    assert after(known, answer)[: len(ids)] == ids
    (made,) = answer["tool_calls"]
    stranger = {**answer, "tool_calls": [{**made, "id": "call_guessed"}]}
    found = after(known, stranger)
    assert found[: len(ids)] != ids
    assert "secret thought" not in known.tokenizer.decode(found)


def test_what_the_client_bent_is_found_by_who_bends_alike() -> None:
    """A turn with a bias or penalties may be cut as no model would cut it."""
    from functionary_sgl.checked_turn import salt_of
    from functionary_sgl.engines.base import Sampling

    plain = salt_of(Sampling(), None, "")
    bent = [
        salt_of(Sampling(logit_bias={5: 1.0}), None, ""),
        salt_of(Sampling(presence_penalty=0.5), None, ""),
        salt_of(Sampling(frequency_penalty=0.5), None, ""),
        salt_of(Sampling(repetition_penalty=1.2), None, ""),
        salt_of(Sampling(), "pirate", ""),
        salt_of(Sampling(), None, "mine"),
    ]
    assert plain == ""
    assert len({plain, *bent}) == 7
    assert salt_of(Sampling(logit_bias={5: 1.0}), None, "") == bent[0]


@pytest.mark.parametrize(
    ("ids", "text", "spelled"),
    [
        ([300, 301], "ab", True),
        ([300, 10**6], "ab", False),
        ([300], "a\ufffd", False),
    ],
)
def test_what_a_text_cannot_say_is_not_spelled(ids: list[int], text: str, spelled: bool) -> None:
    tokenizer = PROMPTERS["v3.llama3"].tokenizer
    assert tokenizer.spells(ids, text) is spelled
    for control in tokenizer.control_ids.values():
        assert not tokenizer.spells([*ids, control], text)


def test_the_character_for_what_is_none_is_a_character() -> None:
    tokenizer = PROMPTERS["v3.llama3"].tokenizer
    text = "a\ufffdb\ufffd"
    ids = tokenizer.encode(text)
    assert tokenizer.spells(ids, text)
    (broken, *_) = tokenizer.encode("\U0001f9a9")
    assert tokenizer.token_bytes(broken).decode(errors="replace") == "\ufffd"
    assert not tokenizer.spells([*ids, broken], f"{text}\ufffd")


def test_tools_keep_their_own_order_with_each_salt() -> None:
    """Or a stranger could decide in what order another's tool is shown."""
    asked = prompter()
    properties = WEATHER["function"]["parameters"]["properties"]
    one = {**properties, "unit": {"type": "string"}}
    other = {"unit": {"type": "string"}, **properties}

    def shown(listed: Any, salt: str) -> str:
        tool = {"type": "function", "function": {"name": "f", "parameters": {"properties": listed}}}
        body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "tools": [tool]}
        return str(asked.prompt(intake.conversation(ChatRequest.from_json(json.dumps(body))), salt))

    first = shown(one, "a")
    assert shown(other, "a") == first
    assert shown(other, "b") != first

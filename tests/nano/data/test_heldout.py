"""The evaluation asks about what training does not know."""

import json
import re
from functools import cache
from random import Random

from functionary_sgl.chat.conversation import Conversation
from functionary_sgl.evaluation.questions import HELD_OUT
from nano.data import heldout
from nano.data.conversations import conversation
from nano.data.drills import drill
from nano.data.words import words

# What values are made of; of all other lists the evaluation has words that training has too.
VALUES = ("cities", "first_names", "last_names", "items", "topics", "songs", "titles", "texts")


@cache
def training() -> list[Conversation]:
    return [
        *(conversation(Random(f"held out:{index}"), "train") for index in range(2000)),
        *(asked for index in range(150) for asked in drill(Random(f"drill:{index}"), "train")),
    ]


def text(drawn: Conversation) -> str:
    calls = [call for message in drawn.messages for call in message.calls]
    parts = [tool.parameters_json + tool.description for tool in drawn.tools]
    parts += [message.content for message in drawn.messages]
    return "\n".join([*parts, *(call.arguments for call in calls)]).lower()


def test_no_value_and_no_noun_of_the_evaluation_is_trained_on() -> None:
    kept = words("heldout")
    names = [noun.replace("_", " ") for kind in ("facts", "things") for noun in kept[kind]]
    values = [value.lower() for kind in VALUES for value in kept[kind]]
    seen = re.compile(r"\b(" + "|".join(map(re.escape, names + values)) + r")\b")
    for drawn in training():
        assert not (found := seen.search(text(drawn))), found


def test_no_function_of_the_evaluation_is_trained_on() -> None:
    trained = {tool.name for drawn in training() for tool in drawn.tools}
    assert len(trained) > 3000
    assert not trained & {
        tool["function"]["name"]
        for question in heldout.questions()
        for tool in question["request"].get("tools", ())
        if "function" in tool
    }


def test_small_talk_is_worded_otherwise() -> None:
    asked = {
        question["request"]["messages"][-1]["content"].lower().strip(".!?")
        for question in heldout.questions()
        if question["category"].startswith("small talk")
    }
    messages = (m for drawn in training() for m in drawn.messages if m.role == "user")
    said = {message.content.lower().strip(".!?") for message in messages}
    assert len(asked) > 10
    assert not asked & said


def test_the_file_of_questions_is_what_the_generator_draws() -> None:
    lines = HELD_OUT.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == heldout.questions()

"""What the model is trained on is what the server feeds it."""

import json
from random import Random

import pytest

from functionary_sgl.api.requests import FunctionDefinition
from functionary_sgl.chat.conversation import Conversation, Message
from functionary_sgl.prompt.prompter import Prompter
from nano.conversations import Draw, conversation
from nano.drills import drill
from nano.samples import Sampler
from nano.tokenizer import END, FORMAT
from tests.formats import written

KINDS = pytest.mark.parametrize("talk", [conversation, drill])


@KINDS
@pytest.mark.parametrize("index", range(60))
def test_a_conversation_is_prompts_and_turns(sampler: Sampler, talk: Draw, index: int) -> None:
    """Before each answer stand the ids of its prompt; its own are what a model would write."""
    drawn = talk(Random(f"tests:{index}"), "train")
    sample = sampler.sample(drawn)
    prompter = Prompter(FORMAT, sampler.tokenizer)
    turns = [place for place, m in enumerate(drawn.messages) if m.role == "assistant"]
    assert len(turns) == len(sample.answers) > 0
    for turn, (first, end) in zip(turns, sample.answers, strict=True):
        asked = Conversation(drawn.messages[:turn], drawn.tools, drawn.code_interpreter)
        assert sample.ids[:first] == list(prompter.prompt(asked).token_ids)
        ids = sampler.tokenizer.encode(_turn(drawn.messages[turn]))
        assert sample.ids[first:end] == [*ids, sampler.tokenizer.control_ids[END]]


def _turn(message: Message) -> str:
    calls = [(call.name, call.arguments) for call in message.calls]
    return written(FORMAT.name, message.content or None, calls)


@KINDS
def test_the_same_seed_gives_the_same_conversation(talk: Draw) -> None:
    assert talk(Random("a"), "train") == talk(Random("a"), "train")
    assert talk(Random("a"), "train") != talk(Random("b"), "train")


def test_drills_are_questions_about_small_functions() -> None:
    for index in range(100):
        drawn = drill(Random(f"drills:{index}"), "train")
        assert all(len(json.loads(tool.parameters_json)["properties"]) <= 2 for tool in drawn.tools)
        asked = [message.role for message in drawn.messages]
        assert asked == ["user", "assistant"] * (len(asked) // 2)
        assert len(drawn.tools) >= 3
        assert len(asked) >= 8


@KINDS
def test_offers_can_be_made_of_all_conversations(sampler: Sampler, talk: Draw) -> None:
    """No function is named twice, and names and schemas are such as the server takes."""
    prompter = Prompter(FORMAT, sampler.tokenizer)
    for index in range(300):
        drawn = talk(Random(f"offers:{index}"), "train")
        prompter.offer(drawn)
        for tool in drawn.tools:
            FunctionDefinition(name=tool.name, parameters=tool.parameters)

"""What the model is trained on is what the server feeds it."""

import json
from collections.abc import Callable
from itertools import pairwise
from random import Random

import pytest
import torch

from functionary_sgl.api.tools import FunctionDefinition
from functionary_sgl.chat.conversation import Conversation, Message
from functionary_sgl.chat.tools import CODE_INTERPRETER
from functionary_sgl.prompt.prompter import Prompter
from nano.data.conversations import NONE_FITS, conversation
from nano.data.drills import decisions, drill, needs
from nano.data.parameters import spoken
from nano.data.scenes import Draw
from nano.data.words import Split
from nano.network import model
from nano.settings import Settings
from nano.tokens.batches import batch
from nano.tokens.samples import Sampler
from nano.tokens.tokenizer import END, FORMAT
from tests.formats import written


def last_of_a_drill(random: Random, split: Split) -> Conversation:
    return drill(random, split)[-1]


KINDS = pytest.mark.parametrize("talk", [conversation, last_of_a_drill])


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


@KINDS
def test_recipients_are_what_the_turns_begin_with(sampler: Sampler, talk: Draw) -> None:
    for index in range(60):
        drawn = talk(Random(f"recipients:{index}"), "train")
        sample = sampler.sample(drawn)
        expected = [
            name
            for message in drawn.messages
            if message.role == "assistant"
            for name in ["all"] * bool(message.content) + [call.name for call in message.calls]
        ]
        marked = [sampler.tokenizer.decode(sample.ids[a:b]) for a, b in sample.recipients]
        assert marked == [f"{'python' if n == CODE_INTERPRETER else n}\n" for n in expected]
        made = batch([sample], len(sample.ids))
        assert made.recipients.sum() == sum(b - a for a, b in sample.recipients)


def _turn(message: Message) -> str:
    calls = [(call.name, call.arguments) for call in message.calls]
    return written(FORMAT.name, message.content or None, calls)


@KINDS
def test_the_same_seed_gives_the_same_conversation(talk: Draw) -> None:
    assert talk(Random("a"), "train") == talk(Random("a"), "train")
    assert talk(Random("a"), "train") != talk(Random("b"), "train")


def test_drills_are_questions_about_the_same_functions() -> None:
    for index in range(100):
        drawn = drill(Random(f"drills:{index}"), "train")
        assert len(drawn) >= 3 + max(2, 9 - len(drawn[0].tools))
        assert len({conversation.tools for conversation in drawn}) == 1
        for question in drawn:
            asked = [message.role for message in question.messages]
            assert asked == ["user", "assistant"] * (len(asked) // 2) != []


@pytest.mark.parametrize("draw", [drill, decisions])
def test_drills_ask_for_a_value_where_the_same_request_without_it_stands_beside(
    draw: Callable[[Random, Split], list[Conversation]],
) -> None:
    asks = answers = 0
    for index in range(50):
        # Beside what stands first: the others of a drill can lack a value alone.
        drawn = draw(Random(f"pairs:{index}"), "train")[: 2 if draw is drill else None]
        answers += len(drawn)
        assert drawn[0].messages[1].calls
        for whole, part in pairwise(drawn):
            question = part.messages[1].content
            if question and question != NONE_FITS:
                asks += 1
                (call,) = whole.messages[1].calls
                asked = question.removeprefix(f"To use {call.name} I need the ").removesuffix(".")
                assert asked in {spoken(name) for name in json.loads(call.arguments)}
    assert 10 < asks < 0.4 * answers, "beside each, the model asks for what is there too"


def test_drills_in_needs_ask_for_the_required_values_of_every_function() -> None:
    for index in range(50):
        drawn = needs(Random(f"needs:{index}"), "train")
        assert len(drawn) == len(drawn[0].tools) >= 2
        for tool, asked in zip(drawn[0].tools, drawn, strict=True):
            assert asked.tools == drawn[0].tools
            said = asked.messages[1].content
            required = [f"the {spoken(name)}" for name in tool.parameters.get("required", [])]
            assert said == f"To use {tool.name} I need {' and '.join(required) or 'nothing'}."


def test_drills_in_decisions_end_where_it_is_seen_whom_the_first_answer_is_to(
    sampler: Sampler,
) -> None:
    texts = calls = 0
    for index in range(30):
        drawn = decisions(Random(f"decisions:{index}"), "train")
        together = sampler.branched(drawn, decisions=True)
        for question, (first, end) in zip(drawn, together.answers, strict=True):
            answer = question.messages[1]
            learned = sampler.tokenizer.decode(together.ids[first:end])
            if answer.calls:
                calls += 1
                assert learned == f"{answer.calls[0].name}\n"
            else:
                texts += 1
                assert learned == f"all\n{answer.content}{END}"
        assert [end for _, end in together.answers] == [end for _, end in together.branches]
    assert min(texts, calls) > 100


@pytest.mark.parametrize("index", range(20))
def test_branches_are_conversations_that_begin_alike(sampler: Sampler, index: int) -> None:
    drawn = drill(Random(f"branches:{index}"), "train")
    sample = sampler.branched(drawn)
    shared = sample.branches[0][0]
    assert shared > 0
    made = batch([sample], len(sample.ids))
    assert made.sees is not None
    for question, (first, end) in zip(drawn, sample.branches, strict=True):
        alone = sampler.sample(question)
        assert alone.ids == sample.ids[:shared] + sample.ids[first:end]
        for mine, places in (
            (alone.answers, sample.answers),
            (alone.recipients, sample.recipients),
        ):
            inside = [place for place in places if first <= place[0] < end]
            assert mine == [(a - first + shared, b - first + shared) for a, b in inside]
        # What the last id of a branch sees, and at which positions, is that conversation.
        seen = made.sees[0, 0, end - 1].nonzero().flatten()
        assert made.ids[0, seen].tolist() == alone.ids
        assert made.positions[0, seen].tolist() == list(range(len(alone.ids)))


# Logits are up to 2.6 here, where neighbours in bfloat16 are 0.016 apart; float32 is off by 1e-6.
@pytest.mark.parametrize(("dtype", "off"), [(torch.float32, 1e-4), (torch.bfloat16, 0.05)])
def test_a_branch_is_thought_of_as_if_it_stood_alone(
    sampler: Sampler, monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype, off: float
) -> None:
    monkeypatch.setattr(model, "compute_dtype", lambda device: dtype)
    drawn = drill(Random("alone"), "train")
    together = sampler.branched(drawn)
    torch.manual_seed(0)
    llama = model.build(Settings.read().model | {"num_hidden_layers": 2}, sampler.tokenizer)
    with torch.no_grad():
        thought, _ = model.answer_logits(llama, batch([together], len(together.ids) + 5))
        alone = [
            model.answer_logits(llama, batch([sample], len(sample.ids)))[0]
            for sample in map(sampler.sample, drawn)
        ]
    torch.testing.assert_close(thought, torch.cat(alone), atol=off, rtol=0)


@KINDS
def test_offers_can_be_made_of_all_conversations(sampler: Sampler, talk: Draw) -> None:
    """No function is named twice, and names and schemas are such as the server takes."""
    prompter = Prompter(FORMAT, sampler.tokenizer)
    for index in range(300):
        drawn = talk(Random(f"offers:{index}"), "train")
        prompter.offers.of(drawn)
        for tool in drawn.tools:
            FunctionDefinition(name=tool.name, parameters=tool.parameters)
